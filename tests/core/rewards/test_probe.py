# ruff: noqa: ARG001 - reward functions are given more than they use
import pytest

from aligntune_core.errors import RewardError
from aligntune_core.rewards import probe, resolve

MESSAGES = [{"role": "user", "content": "How many?"}]


def seen_by(row):
    calls = []

    def watch(prompts, completions, **columns):
        calls.append({"prompts": prompts, "completions": completions, **columns})
        return [0.0] * len(completions)

    probe([watch], [row])
    (call,) = calls
    return call


def test_a_function_is_called_as_in_training():
    call = seen_by({"prompt": "How many?", "answer": "5", "topic": None})
    assert call["prompts"] == ["How many?"] * 2
    assert all(isinstance(completion, str) for completion in call["completions"])
    assert call["answer"] == ["5", "5"]
    assert call["topic"] == [None, None]
    assert [all(isinstance(token, int) for token in ids) and len(ids) > 0 for ids in call["completion_ids"]] == [
        True
    ] * 2
    assert "prompt" not in call


def test_a_prompt_of_messages_has_completions_of_messages():
    call = seen_by({"prompt": MESSAGES, "answer": "5"})
    assert call["prompts"] == [MESSAGES] * 2
    assert [[message["role"] for message in completion] for completion in call["completions"]] == [["assistant"]] * 2


@pytest.mark.parametrize("prompt", ["How many?", MESSAGES])
def test_builtin_functions_pass(prompt):
    functions = resolve(
        ["exact_match", "numeric_match", "format", "length(target=5)", "soft_overlong"], max_completion_length=100
    )
    assert probe(functions, [{"prompt": prompt, "answer": "#### 5"}] * 3) is None


def test_a_missing_column_is_found():
    with pytest.raises(RewardError, match=r"needs the column 'answer'.*solution"):
        probe(resolve(["numeric_match"]), [{"prompt": "How many?", "solution": "5"}])
    with pytest.raises(RewardError, match=r"no 'prompt'.*question"):
        probe(resolve(["numeric_match"]), [{"question": "How many?"}])


def test_every_row_given_is_tried():
    rows = [{"prompt": "How many?", "answer": "5"}, {"prompt": "Which one?", "answer": "none"}]
    with pytest.raises(RewardError, match="Which one"):
        probe(resolve(["numeric_match"]), rows)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return [1.0]", "1 rewards for 2 completions"),
        ("return [None, 1.0]", "returned None for the completion"),
        ("return [float('nan')] * 2", "returned NaN"),
        ("return ['good', 'bad']", "the text 'good'"),
        ("return None", "Does it end without a return"),
        ("return [text.split()[-1] == 'x' for text in completions]", r"IndexError.*\(mine\.py, line 2\)"),
        ("return [columns['answr']]", r"KeyError: 'answr' \(mine\.py, line 2\).*called with answer, completion"),
    ],
)
def test_a_function_that_would_fail_in_training_fails_before(tmp_path, body, message):
    (tmp_path / "mine.py").write_text(f"def score(prompts, completions, **columns):\n    {body}\n", encoding="utf-8")
    with pytest.raises(RewardError, match=message) as caught:
        probe(resolve([f"{tmp_path}/mine.py:score"]), [{"prompt": "How many?", "answer": "5"}])
    assert "'score'" in str(caught.value)


def test_no_reward_passes_only_where_it_is_allowed():
    def unsure(completions, **columns):
        return [None] * len(completions)

    rows = [{"prompt": "How many?"}]
    probe([unsure], rows, allow_missing=True)
    with pytest.raises(RewardError, match="'unsure' returned None"):
        probe([unsure], rows)
