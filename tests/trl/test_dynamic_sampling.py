"""DAPO's dynamic sampling: groups that teach nothing are replaced, within bounds, and said."""

import pytest
import torch
from test_losses import normalised
from trl_runs import PROMPTS, build_online, share_of_a, share_of_a_after_b, trained

from aligntune_core.errors import JobError

GROUP = 4
IDLE = [row for row in PROMPTS if row["prompt"].startswith("a")]
LIVELY = [row for row in PROMPTS if not row["prompt"].startswith("a")]
ROWS = [*IDLE, *LIVELY]


class Counted:
    """A reward function that remembers which prompts it was asked about, group by group."""

    name = "counted"

    def __init__(self, function):
        self.function, self.calls = function, []

    def __call__(self, prompts, completions, **columns):
        self.calls.append(list(prompts[::GROUP]))
        return self.function(prompts=prompts, completions=completions, **columns)


def always_the_same(completions, **_):
    return [1.0] * len(completions)


def build(letters, folder, reward, **job):
    own = {"overlong_punishment": False, **job.pop("backend_args", {})}
    job = {
        "dataset_name": ROWS,
        "output_dir": str(folder),
        "batch_size": 4,
        "num_generations": GROUP,
        "reward_functions": [reward],
        "max_steps": 2,
        "backend_args": own,
        **job,
    }
    run = build_online("dapo", letters, **job)
    if isinstance(reward, Counted):
        reward.calls.clear()  # the trial before training
    return run


def batch(native, rows):
    """What TRL makes of one batch of these prompts, in order."""
    native.model.train()
    return native._generate_and_score_completions([dict(row) for row in rows for _ in range(GROUP)])


def texts(native, ids):
    return [native.processing_class.decode(row, skip_special_tokens=True) for row in ids]


def test_groups_that_teach_nothing_are_replaced_and_the_others_stay(letters, tmp_path):
    reward = Counted(share_of_a_after_b)
    native = build(letters, tmp_path, reward).trainer.native
    given = [LIVELY[0], IDLE[0], LIVELY[1], IDLE[1]]
    output = batch(native, given)
    prompts = texts(native, output["prompt_ids"])[::GROUP]
    assert [prompts[0], prompts[2]] == [LIVELY[0]["prompt"], LIVELY[1]["prompt"]]
    assert {prompts[1], prompts[3]} <= {row["prompt"] for row in LIVELY}
    assert (output["advantages"].view(-1, GROUP).std(dim=1) > 0).all()
    metrics = native._metrics["train"]
    assert metrics["dynamic_sampling/uninformative"] == [0.0]
    assert metrics["dynamic_sampling/drawn"] == [sum(map(len, reward.calls))]
    assert len(reward.calls) > 1
    assert metrics["frac_reward_zero_std"] == [0.0]
    assert list(native._logs["prompt"])[::GROUP] == prompts


def test_prompts_answers_and_rewards_of_a_replaced_group_belong_together(letters, tmp_path):
    """Each advantage is that of the very answer that is trained on, and the answers are those to their prompts."""
    asked = {}

    def remembering(prompts, completions, completion_ids, **_):
        rewards = share_of_a_after_b(prompts, completions)
        for prompt, ids, reward in zip(prompts, completion_ids, rewards, strict=True):
            asked.setdefault((prompt, tuple(ids)), reward)
        return rewards

    native = build(letters, tmp_path, remembering).trainer.native
    output = batch(native, [LIVELY[3], *IDLE[:3]])
    prompts = texts(native, output["prompt_ids"])
    rewards = []
    for prompt, ids in zip(prompts, output["completion_ids"].tolist(), strict=True):
        written = ids[: ids.index(1) + 1] if 1 in ids else ids
        rewards.append(asked[prompt, tuple(written)])
    expected = [
        value for start in range(0, len(rewards), GROUP) for value in normalised(rewards[start : start + GROUP])
    ]
    assert output["advantages"].tolist() == pytest.approx(expected, abs=1e-5)


def test_the_tries_are_bounded_and_what_is_left_is_counted(letters, tmp_path):
    reward = Counted(always_the_same)
    run = trained(build(letters, tmp_path, reward, backend_args={"max_sampling_tries": 3}))
    assert len(reward.calls) == 2 * (1 + 3)
    assert run.logged("dynamic_sampling/drawn") == [16.0, 16.0]
    assert run.logged("dynamic_sampling/uninformative") == [4.0, 4.0]
    assert run.logged("frac_reward_zero_std") == [1.0, 1.0]
    assert run.logged("loss") == [0.0, 0.0]


def test_new_prompts_are_drawn_in_every_try(letters, tmp_path):
    reward = Counted(always_the_same)
    native = build(letters, tmp_path, reward, backend_args={"max_sampling_tries": 4}).trainer.native
    batch(native, ROWS[:4])
    drawn = [prompt for call in reward.calls[1:] for prompt in call]
    assert len(drawn) == 16
    assert len(set(drawn)) == 16


def test_it_can_be_switched_off(letters, tmp_path):
    reward = Counted(share_of_a_after_b)
    native = build(letters, tmp_path, reward, backend_args={"dynamic_sampling": False}).trainer.native
    output = batch(native, [LIVELY[0], IDLE[0], LIVELY[1], IDLE[1]])
    assert len(reward.calls) == 1
    assert not any(name.startswith("dynamic_sampling") for name in native._metrics["train"])
    idle = output["advantages"].view(-1, GROUP).std(dim=1) == 0
    assert idle.tolist()[1::2] == [True, True]


@pytest.mark.parametrize("algorithm", ["grpo", "dr_grpo"])
def test_no_other_algorithm_does_it(algorithm, letters, tmp_path):
    reward = Counted(always_the_same)
    job = {"output_dir": str(tmp_path), "batch_size": 4, "num_generations": GROUP, "reward_functions": [reward]}
    native = build_online(algorithm, letters, **job).trainer.native
    reward.calls.clear()
    batch(native, ROWS[:4])
    assert len(reward.calls) == 1


@pytest.mark.parametrize("named", [False, True], ids=["added by dapo", "named by the user"])
def test_punished_lengths_do_not_make_a_group_teach(named, letters, tmp_path):
    reward = Counted(always_the_same)
    functions = [reward, "soft_overlong(cache=8)"] if named else [reward]
    own = {"overlong_punishment": True, "max_sampling_tries": 2}
    native = build(letters, tmp_path, reward, reward_functions=functions, backend_args=own).trainer.native
    assert native.reward_func_names == ["counted", "soft_overlong"]
    reward.calls.clear()
    output = batch(native, LIVELY[:4])
    assert len(reward.calls) == 1 + 2
    assert native._metrics["train"]["dynamic_sampling/uninformative"] == [4.0]
    # they still shape the advantages
    assert output["advantages"].abs().max() > 0


def test_weights_of_zero_do_not_make_a_group_teach(letters, tmp_path):
    native = build(letters, tmp_path, always_the_same, backend_args={"max_sampling_tries": 1}).trainer.native
    native.reward_weights = torch.zeros(1)
    batch(native, LIVELY[:4])
    assert native._metrics["train"]["dynamic_sampling/uninformative"] == [4.0]


def test_an_evaluation_scores_the_prompts_it_is_given(letters, tmp_path):
    reward = Counted(share_of_a_after_b)
    run = build(letters, tmp_path, reward, eval_dataset_name=IDLE[:4])
    reward.calls.clear()
    metrics = run.trainer.evaluate()
    assert sorted(prompt for call in reward.calls for prompt in call) == sorted(row["prompt"] for row in IDLE[:4])
    assert metrics["eval_rewards/counted/mean"] == 0.0


def test_the_same_seed_draws_the_same_and_another_another(letters, tmp_path):
    def drawn(seed):
        reward = Counted(share_of_a_after_b)
        trained(build(letters, tmp_path / str(seed), reward, seed=seed))
        return reward.calls

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_steps_and_micro_steps_draw_different_prompts(letters, tmp_path):
    native = build(letters, tmp_path, share_of_a, gradient_accumulation_steps=2).trainer.native
    orders = []
    for native.state.global_step in (0, 1):
        for native._step in (0, 1):
            draws = native._draws()
            orders.append([next(draws) for _ in range(len(ROWS))])
    assert all(sorted(order) == list(range(len(ROWS))) for order in orders)
    assert len(set(map(tuple, orders))) == 4


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({"max_sampling_tries": "ten"}, "a whole number of at least 1"),
        ({"max_sampling_tries": 0}, "a whole number of at least 1"),
        ({"max_sampling_tries": True}, "a whole number of at least 1"),
        ({"dynamic_sampling": "no"}, "true or false"),
        ({"overlong_punishment": 1}, "true or false"),
    ],
)
def test_settings_that_make_no_sense_are_refused(own, words, letters, tmp_path):
    with pytest.raises(JobError, match=words) as caught:
        build(letters, tmp_path, share_of_a, backend_args=own)
    assert [problem.key for problem in caught.value.problems] == [f"backend_args.{name}" for name in own]
