"""What algorithms that sample their own completions are given, refused where training on it could only fail."""

import pytest
from trl_runs import GROUPED, PROMPTS, build, build_online, share_of_a, trained

from aligntune_core.errors import DataError, JobError, RewardError
from aligntune_core.events import Started


@pytest.mark.parametrize("algorithm", GROUPED)
def test_a_batch_of_one_prompt_and_nothing_else_is_enough(algorithm, letters, tmp_path):
    job = {"reward_functions": [share_of_a], "output_dir": str(tmp_path), "batch_size": 1, "max_steps": 1}
    run = trained(build(algorithm, letters, PROMPTS, **job))
    assert len(run.logged("loss")) == 1


@pytest.mark.parametrize(
    ("algorithm", "job", "needed"),
    [
        ("grpo", {"batch_size": 8}, 8),
        ("grpo", {"batch_size": 2, "gradient_accumulation_steps": 3}, 6),
        ("gspo", {"batch_size": 2}, 8),
        ("dapo", {"batch_size": 6}, 6),
        ("rloo", {"batch_size": 6}, 6),
    ],
)
def test_fewer_prompts_than_a_step_needs(algorithm, job, needed, letters, tmp_path):
    few = {**job, "dataset_name": PROMPTS[: needed - 1], "output_dir": str(tmp_path)}
    with pytest.raises(DataError, match=f"one step needs {needed} rows, and the dataset has {needed - 1}"):
        build_online(algorithm, letters, **few)
    build_online(algorithm, letters, **{**few, "dataset_name": PROMPTS[:needed]})


def test_an_evaluation_with_fewer_prompts_than_a_step_is_whole(letters, tmp_path):
    job = {"batch_size": 4, "eval_dataset_name": PROMPTS[:3], "output_dir": str(tmp_path)}
    metrics = build_online("grpo", letters, **job).trainer.evaluate()
    assert "eval_rewards/share_of_a/mean" in metrics


def test_prompts_that_fill_the_context(letters, tmp_path):
    rows = [*PROMPTS, {"prompt": "ab" * 32}, {"prompt": "ab" * 50}]
    message = r"2 of 38 prompts fill the model's context of 64 tokens, the first of them row 36 with 64 tokens"
    with pytest.raises(DataError, match=message):
        build_online("grpo", letters, dataset_name=rows, output_dir=str(tmp_path))


def test_prompts_that_leave_little_room(letters, tmp_path):
    rows = [*PROMPTS, {"prompt": "ab" * 30}]
    run = build_online("grpo", letters, dataset_name=rows, output_dir=str(tmp_path))
    (said,) = [message for message in run.notices() if "leave less than" in message]
    assert said.startswith("1 of 37 prompts leave less than max_completion_length=8 tokens")
    assert not any(
        "leave less than" in message for message in build_online("grpo", letters, output_dir=str(tmp_path)).notices()
    )


def test_chat_prompts_are_measured_with_their_template(tmp_path):
    rows = [{"prompt": [{"role": "user", "content": "1" * 1020}]}] * 8
    with pytest.raises(DataError, match="8 of 8 prompts fill the model's context of 1024 tokens"):
        build_online("grpo", "builtin:tiny", dataset_name=rows, output_dir=str(tmp_path))


@pytest.mark.parametrize("algorithm", GROUPED)
def test_one_completion_is_no_group(algorithm, letters, tmp_path):
    with pytest.raises(JobError, match="num_generations"):
        build_online(algorithm, letters, num_generations=1, output_dir=str(tmp_path))
    job = {"reward_functions": [share_of_a], "output_dir": str(tmp_path), "batch_size": 1}
    with pytest.raises(JobError, match="is 1, but must be greater than 1"):
        build(algorithm, letters, PROMPTS, backend_args={"num_generations": 1}, **job)


@pytest.mark.parametrize("algorithm", GROUPED)
def test_no_reward(algorithm, letters, tmp_path):
    with pytest.raises(JobError, match=f"'{algorithm}' learns from rewards, and the job has no reward function"):
        build_online(algorithm, letters, reward_functions=None, output_dir=str(tmp_path))


@pytest.mark.parametrize("algorithm", ["grpo", "rloo"])
@pytest.mark.parametrize("rows", [[{"text": "abc"}] * 8, [{"letters": "abc", "more": "b"}] * 8], ids=["text", "other"])
def test_a_dataset_without_prompts(algorithm, rows, letters, tmp_path):
    with pytest.raises(JobError, match=f"'{algorithm}'.* learns from prompts") as caught:
        build_online(algorithm, letters, dataset_name=rows, output_dir=str(tmp_path))
    assert [problem.key for problem in caught.value.problems] == ["dataset_name"]


def too_few(completions, **_):
    return [0.0] * (len(completions) - 1)


def not_a_number(completions, **_):
    return [float("nan")] * len(completions)


def nothing(**_):
    return None


def missing(completions, **_):
    return [None] * len(completions)


def words(completions, **_):
    return ["good"] * len(completions)


def endless(completions, **_):
    return [float("inf")] * len(completions)


def raising(**_):
    raise KeyError("solution")


BROKEN = {
    too_few: "returned 1 rewards for 2 completions",
    not_a_number: "returned NaN for the completion",
    nothing: "returned None, not a list of rewards",
    missing: "returned None for the completion",
    words: "returned the text 'good'",
    endless: "returned inf",
    raising: "failed with KeyError: 'solution'",
}


@pytest.mark.parametrize("function", BROKEN, ids=lambda function: function.__name__)
def test_a_reward_function_is_tried_before_training(function, letters, tmp_path):
    with pytest.raises(RewardError, match=f"reward function '{function.__name__}' {BROKEN[function]}"):
        build_online("grpo", letters, reward_functions=[share_of_a, function], output_dir=str(tmp_path))


def test_a_reward_function_may_need_a_column_that_is_not_there(letters, tmp_path):
    def solved(solution, **_):
        return [float(each == "a") for each in solution]

    with pytest.raises(RewardError, match=r"'solved' failed with .*solution.* It was called with .*prompts"):
        build_online("grpo", letters, reward_functions=[solved], output_dir=str(tmp_path))
    rows = [{**row, "solution": "a"} for row in PROMPTS]
    build_online("grpo", letters, dataset_name=rows, reward_functions=[solved], output_dir=str(tmp_path))


class FailsLater:
    """A reward function that is right until training has taken two steps."""

    name = "fails_later"

    def __init__(self, how):
        self.how, self.calls = how, 0

    def __call__(self, completions, **_):
        self.calls += 1
        rewards = share_of_a(completions)
        return self.how(rewards) if self.calls > 4 else rewards  # two of the calls are the trial


def raises_in_training(_):
    raise ValueError("the judge is away")


@pytest.mark.parametrize("algorithm", ["grpo", "gspo", "dapo", "rloo"])
@pytest.mark.parametrize(
    ("how", "said"),
    [
        (lambda rewards: [*rewards[:-1], float("nan")], "returned NaN for the completion '.*' to the prompt '.*'"),
        (lambda rewards: rewards[:-1], "returned 15 rewards for 16 completions"),
        (raises_in_training, "failed with ValueError: the judge is away"),
    ],
    ids=["nan", "short", "raises"],
)
def test_a_reward_function_that_fails_in_training_stops_the_run(algorithm, how, said, letters, tmp_path):
    reward = FailsLater(how)
    job = {"reward_functions": [reward], "output_dir": str(tmp_path), "batch_size": 2, "max_steps": 20}
    if algorithm == "gspo":
        job["backend_args"] = {"steps_per_generation": 1}
    run = build_online(algorithm, letters, **job)
    with pytest.raises(RewardError, match=f"reward function 'fails_later' {said}"):
        run.trainer.train()
    assert any(isinstance(event, Started) for event in run.events)
    assert 1 <= len(run.logged("loss")) <= 2


def test_the_datasets_columns_reach_the_reward_function(letters, tmp_path):
    seen = []

    def looking(prompts, completions, completion_ids, wanted, **_):
        seen.extend(zip(prompts, wanted, strict=True))
        assert len(completions) == len(completion_ids)
        return [0.0] * len(completions)

    rows = [{**row, "wanted": row["prompt"].upper()} for row in PROMPTS]
    job = {"dataset_name": rows, "reward_functions": [looking], "output_dir": str(tmp_path), "max_steps": 1}
    trained(build_online("grpo", letters, batch_size=4, **job))
    assert len(seen) >= 32
    assert all(wanted == prompt.upper() for prompt, wanted in seen)


def test_weights_and_names_reach_the_trainer(letters, tmp_path):
    spec = {"length(target=3)": 0.5, "soft_overlong": 2.0}
    run = build_online("grpo", letters, reward_functions=spec, output_dir=str(tmp_path), max_steps=1, batch_size=2)
    assert run.trainer.native.reward_weights.tolist() == [0.5, 2.0]
    trained(run)
    (length,), (overlong,) = (run.logged(f"rewards/{name}/mean") for name in ("length", "soft_overlong"))
    assert run.logged("reward") == [pytest.approx(0.5 * length + 2.0 * overlong, abs=1e-6)]


def test_arithmetic_is_judged_by_its_answers(tmp_path):
    job = {"dataset_name": "builtin:arithmetic", "reward_functions": ["numeric_match"], "output_dir": str(tmp_path)}
    run = trained(build_online("grpo", "builtin:tiny", max_steps=1, batch_size=1, num_generations=2, **job))
    assert len(run.logged("rewards/numeric_match/mean")) == 1


@pytest.mark.parametrize("algorithm", ["grpo", "ppo"])
def test_prompts_become_tokens_once_before_training(algorithm, letters, tmp_path, monkeypatch):
    from transformers import PreTrainedTokenizerFast

    counted = []
    encode = PreTrainedTokenizerFast._encode_plus

    def counting(self, text, *rest, **how):
        counted.append(text)
        return encode(self, text, *rest, **how)

    monkeypatch.setattr(PreTrainedTokenizerFast, "_encode_plus", counting)
    job = {"max_completion_length": 4, "reward_functions": [share_of_a], "output_dir": str(tmp_path)}
    build(algorithm, letters, PROMPTS, **job)
    texts = [each for text in counted for each in ([text] if isinstance(text, str) else text)]
    assert [texts.count(row["prompt"]) for row in PROMPTS] == [1] * len(PROMPTS)
