import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligntune_core.errors import RewardError
from aligntune_core.rewards import ExactMatch, FormatMatch, NumericMatch, text_of

REPOSITORY = Path(__file__).parents[3]
GSM8K = next(
    (
        path
        for folder in (REPOSITORY, REPOSITORY.parent)
        if (path := folder / "shared" / "data" / "gsm8k_test.jsonl").is_file()
    ),
    None,
)


def numeric(completion, answer, **parameters):
    return NumericMatch(**parameters)(prompts=["?"], completions=[completion], answer=[answer])[0]


@pytest.mark.parametrize(
    ("completion", "answer"),
    [
        ("The answer is 1,234.", "1234"),
        ("so she pays $3.50", "3.5"),
        ("a loss of -$5", -5),
        ("a loss of $-5", "#### -5"),
        ("it falls by \u22124 degrees", -4),
        ("that is 50%", "50"),
        (".5 of it", 0.5),
        ("1/2 of it", 0.5),
        (r"thus \frac{3}{4}", "0.75"),
        (r"thus -\dfrac34", "-0.75"),
        ("1 3/4 cups", 1.75),
        (r"$1\frac{1}{2}$", "1.5"),
        ("1.5e3 metres", 1500),
        ("<<16-3-4=9>>9 eggs", "9"),
        ("16-3", "3"),
        (r"\boxed{1{,}234} then 99", 1234),
        (r"first \boxed{1}, no: \boxed{\text{about } 2}", 2),
        ("#### 7\nI checked it 3 times", 7),
        ("#### 7 apples and 3 pears", 7),
        ("#### Step 2\nso it is 8", 8),
        (r"#### 7 or rather \boxed{8}", 8),
        (r"\boxed{8} or rather #### 7", 7),
        ("18.0", "18"),
        ("1,2,3", 3),
        ("- 5 apples", 5),
        ("Rs.50", 50),
        ("on 5/12/2024", 2024),
        ("10,000,000.25", "10000000.25"),
    ],
)
def test_a_number_that_is_the_answer_is_rewarded(completion, answer):
    assert numeric(completion, answer) == 1.0


@pytest.mark.parametrize(
    ("completion", "answer"),
    [
        ("The answer is 12.", "1,2"),
        ("5", "-5"),
        ("no number at all", "5"),
        ("", "0"),
        (r"5, so \boxed{x}", "5"),
        ("1/0", "0"),
        ("1/2", "1 1/2"),
        ("5 and then 6", "5"),
        ("9" * 5000, "9"),
        ("0.333", "1/3"),
    ],
)
def test_a_number_that_is_not_the_answer_is_not_rewarded(completion, answer):
    assert numeric(completion, answer) == 0.0


def test_tolerance_is_an_absolute_difference():
    assert numeric("0.333", "1/3", tolerance=0.001) == 1.0
    assert numeric("0.332", "1/3", tolerance=0.001) == 0.0
    assert numeric("0.5", 0.2, tolerance=0.3) == 1.0, "0.3 is three tenths and not the nearest binary fraction"


@pytest.mark.skipif(GSM8K is None, reason="the real GSM8K test split is not beside this checkout")
def test_every_gsm8k_row_is_right_by_its_own_answer_and_wrong_by_its_neighbours():
    rows = [json.loads(line) for line in GSM8K.read_text(encoding="utf-8").splitlines()]
    answers = [row["answer"] for row in rows]
    finals = [answer.rpartition("#### ")[2] for answer in answers]
    prompts = [row["question"] for row in rows]
    reward = NumericMatch()
    assert len(rows) == 1319
    assert reward(prompts=prompts, completions=answers, answer=answers) == [1.0] * 1319
    boxed = [rf"So it is \boxed{{{final}}}, out of 3 guesses." for final in finals]
    assert reward(prompts=prompts, completions=boxed, answer=answers) == [1.0] * 1319
    spoken = [f"The answer is ${final}." for final in finals]
    assert reward(prompts=prompts, completions=spoken, answer=answers) == [1.0] * 1319
    off_by_one = [f"#### {int(final.replace(',', '')) + 1}" for final in finals]
    assert reward(prompts=prompts, completions=off_by_one, answer=answers) == [0.0] * 1319


@pytest.mark.parametrize("answer", ["none of them", None, float("nan"), True, ""])
def test_an_answer_without_a_number_is_an_error_that_shows_it(answer):
    with pytest.raises(RewardError, match="no number in it") as caught:
        NumericMatch()(prompts=["How many?"], completions=["5"], answer=[answer])
    assert "How many?" in str(caught.value)


@pytest.mark.parametrize("reward", [ExactMatch(), NumericMatch()])
def test_a_missing_answer_column_is_named_with_the_columns_there_are(reward):
    with pytest.raises(RewardError) as caught:
        reward(prompts=["?"], completions=["5"], completion_ids=[[1]], answers=["5"], topic=["sums"])
    message = str(caught.value)
    assert "'answer'" in message
    assert "answers, topic" in message
    assert f"{reward.name}(column='answers')" in message
    assert "completion_ids" not in message


def test_a_column_of_another_length_is_refused():
    with pytest.raises(RewardError, match="got 2 values of the column 'answer' for 1 completions"):
        NumericMatch()(prompts=["?"], completions=["5"], answer=["5", "6"])


def test_the_answer_may_be_in_another_column():
    assert NumericMatch(column="solution")(prompts=["?"], completions=["5"], solution=["#### 5"]) == [1.0]


def test_exact_match_leaves_out_white_space_and_keeps_case():
    completions = [" Paris\n", "paris", "Paris."]
    columns = {"prompts": ["?"] * 3, "completions": completions, "answer": ["Paris"] * 3}
    assert ExactMatch()(**columns) == [1.0, 0.0, 0.0]
    assert ExactMatch(ignore_case=True)(**columns) == [1.0, 1.0, 0.0]


def test_exact_match_compares_numbers_in_the_answer_column_as_text():
    assert ExactMatch()(prompts=["?"], completions=["5"], answer=[5]) == [1.0]


def test_of_messages_the_assistants_are_read():
    messages = [
        {"role": "assistant", "content": "Let me look: "},
        {"role": "tool", "content": "17"},
        {"role": "assistant", "content": [{"type": "text", "text": "It is 5"}]},
        {"role": "assistant", "content": None, "tool_calls": []},
    ]
    assert text_of(messages).split() == ["Let", "me", "look:", "It", "is", "5"]
    assert numeric(messages, 5) == 1.0
    with pytest.raises(RewardError, match="neither a text nor a list of messages"):
        text_of(None)
    with pytest.raises(RewardError, match="neither a text nor a list of messages"):
        text_of(["a", "b"])


@pytest.mark.parametrize(
    ("text", "reward"),
    [
        ("<think>hm\nhm</think>\n<answer>5</answer>", 1.0),
        ("\n<think></think><answer>5</answer> ", 1.0),
        ("<think>hm</think> 5", 0.0),
        ("Well: <think>hm</think><answer>5</answer>", 0.0),
        ("<think>hm</think><answer>5</answer> and more", 0.0),
        ("<think>a</think><think>b</think><answer>5</answer>", 0.0),
        ("<think>a</think><answer>5</answer><answer>6</answer>", 0.0),
    ],
)
def test_format_by_default_wants_one_thought_and_one_answer(text, reward):
    assert FormatMatch()(prompts=["?"], completions=[text]) == [reward]


def test_format_takes_a_pattern_for_the_whole_text():
    reward = FormatMatch(pattern=r"\d+")
    assert reward(prompts=["?"] * 2, completions=["42\n", "42 apples"]) == [1.0, 0.0]
    with pytest.raises(RewardError, match=r"can't read the pattern '\(': missing \)"):
        FormatMatch(pattern="(")


WRITTEN = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(
            [
                "####",
                " ",
                "\\boxed{",
                "}",
                "{",
                "\\frac",
                "1",
                "2,345",
                ".5",
                "-",
                "$",
                "/",
                "0",
                "e9",
                "%",
                "\n",
                "{,}",
            ]
        ),
        max_size=30,
    ).map("".join),
)


@given(WRITTEN, st.one_of(WRITTEN, st.integers(), st.floats()))
def test_any_text_gives_a_reward_or_says_that_the_answer_is_unusable(completion, answer):
    for reward in (ExactMatch(), NumericMatch(), FormatMatch()):
        try:
            rewards = reward(prompts=["?"], completions=[completion], answer=[answer])
        except RewardError as error:
            assert "no number in it" in error.message  # noqa: PT017 - any other exception is the failure
        else:
            assert rewards in ([0.0], [1.0])


@given(st.integers(min_value=-(10**12), max_value=10**12), WRITTEN.filter(lambda text: "\\" not in text))
def test_a_boxed_number_is_found_whatever_stands_before_it(number, before):
    # an open brace before it is closed by nothing, and so is no answer
    assert numeric(f"{before} \\boxed{{{number:,}}}.", number) == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "1" * 200_000,
        "111," * 50_000 + "1111",
        "\\boxed{" * 30_000,
        "\\frac{" * 30_000,
        "<think>" * 30_000,
        "1 " * 100_000,
        "#" * 200_000,
    ],
)
def test_a_long_completion_takes_no_longer_than_its_length(text):
    began = time.perf_counter()
    numeric(text, 5)
    FormatMatch()(prompts=["?"], completions=[text])
    assert time.perf_counter() - began < 2
