"""A run that diverged is no success, and a model that can't be written is no surprise."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file
from trl_runs import PROMPTS, build, build_online, resumable, share_of_a, trained

from aligntune_core import JobError, RewardError, RunError, Stepped
from aligntune_core.check.decide import decide
from aligntune_core.cli.screens.failure import say_why
from aligntune_core.console.progress import ConsoleProgress
from aligntune_core.events import CheckpointSaved, Finished, Started
from aligntune_core.run.train import run as run_as_the_command_line

ALGORITHMS = ["sft", "dpo", "grpo"]


def finite(folder):
    return all(weight.isfinite().all() for weight in load_file(folder / "model.safetensors").values())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_run_that_diverges_stops(letters, tmp_path, algorithm):
    run = resumable(algorithm, letters, tmp_path, learning_rate=1e30, lr_scheduler="constant", save_steps=1)
    with pytest.raises(RunError, match=r"Training diverged: ") as caught:
        run.trainer.train()
    assert "Lower learning_rate" in caught.value.fix
    assert not any(isinstance(event, Finished) for event in run.events)
    assert all(finite(folder) for folder in tmp_path.glob("checkpoint-*"))


def test_ppo_stops_at_the_step_that_diverges(letters, tmp_path):
    job = {"learning_rate": 1e30, "lr_scheduler": "constant", "logging_steps": 100, "max_steps": 5, "save_steps": 1}
    run = build("ppo", letters, PROMPTS, output_dir=str(tmp_path), reward_functions=[share_of_a], batch_size=4,
                max_completion_length=8, **job)  # fmt: skip
    with pytest.raises(RunError, match="The policy loss is nan at step 1") as caught:
        run.trainer.train()
    assert "Lower learning_rate" in caught.value.fix
    assert not list(tmp_path.glob("checkpoint-*"))


@pytest.mark.parametrize("algorithm", ["sft", "dpo"])
def test_a_loss_that_is_no_number_is_never_shown_as_one(letters, tmp_path, algorithm):
    run = resumable(algorithm, letters, tmp_path, learning_rate=1e30, lr_scheduler="constant")
    with pytest.raises(RunError, match="Training diverged: 'loss' is nan at step 2"):
        run.trainer.train()
    assert len(run.logged("loss")) == 1
    assert 0.0 not in run.logged("loss")


def test_it_stops_at_the_first_such_step_though_nothing_is_logged(letters, tmp_path):
    run = resumable("sft", letters, tmp_path, learning_rate=1e30, lr_scheduler="constant", logging_steps=100)
    with pytest.raises(RunError, match="'loss' is nan at step 2"):
        run.trainer.train()
    assert run.trainer.native.state.global_step == 2


@pytest.mark.parametrize(
    "job", [{"max_steps": 3, "save_steps": 1}, {"save_steps": None, "backend_args": {"save_strategy": "no"}}]
)
def test_weights_are_looked_at_before_a_save_and_at_the_end(letters, tmp_path, job):
    run = resumable("sft", letters, tmp_path, **{"max_steps": 1, **job})
    native = run.trainer.native
    step = native.training_step

    def poisoned(model, *arguments, **keywords):
        loss = step(model, *arguments, **keywords)
        with torch.no_grad():
            next(model.parameters())[0, 0] = float("nan")
        return loss.detach() * 0 + 1.0

    native.training_step = poisoned
    native.args.max_grad_norm = 0.0
    native._get_grad_norm = lambda *_, **__: None
    with pytest.raises(RunError, match="the weights are no longer finite after step 1"):
        run.trainer.train()
    assert not any(isinstance(event, CheckpointSaved | Finished) for event in run.events)


def test_a_norm_of_gradients_that_is_logged_is_looked_at_but_not_with_fp16(letters, tmp_path):
    run = resumable("sft", letters, tmp_path, max_steps=1)
    native = run.trainer.native
    native._get_grad_norm = lambda *_, **__: float("inf")
    with pytest.raises(RunError, match="'grad_norm' is inf at step 1"):
        run.trainer.train()
    native.args.fp16 = True
    assert run.trainer.train().steps == 1


def test_a_filter_the_user_asked_for_stays(letters, tmp_path):
    asked = resumable("sft", letters, tmp_path, backend_args={"logging_nan_inf_filter": True})
    assert asked.trainer.native.args.logging_nan_inf_filter is True
    assert resumable("sft", letters, tmp_path).trainer.native.args.logging_nan_inf_filter is False


def test_a_diverged_model_is_not_saved(letters, tmp_path):
    run = resumable("sft", letters, tmp_path / "out", max_steps=1)
    with torch.no_grad():
        next(run.trainer.model.parameters())[0, 0] = float("inf")
    with pytest.raises(RunError, match="no longer finite"):
        run.trainer.save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("merge", [False, True])
def test_what_cannot_be_written_is_said_with_its_path(letters, tmp_path, merge):
    run = resumable("sft", letters, tmp_path / "out", lora=merge)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"can't be written to '.*/file/model'") as caught:
        run.trainer.save(tmp_path / "file" / "model", merge=merge)
    assert isinstance(caught.value.__cause__, OSError)


def test_an_empty_path_is_refused(letters, tmp_path, monkeypatch):
    run = resumable("sft", letters, tmp_path / "out")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="is no path"):
        run.trainer.save("")
    assert not (tmp_path / "model.safetensors").exists()


def test_a_run_that_does_not_diverge_ends(letters, tmp_path):
    run = trained(resumable("sft", letters, tmp_path, max_steps=2))
    assert [event.step for event in run.events if isinstance(event, Stepped) and event.metrics] == [1, 2]


class Absent:
    """A reward function that after some calls gives a reward to no completion but the first few of a batch."""

    def __init__(self, *, calls, rest=0, name="absent"):
        self.calls, self.rest, self.name = calls, rest, name
        self.called = 0

    def __call__(self, completions, **_):
        self.called += 1
        rewards = share_of_a(completions)
        return rewards if self.called <= self.calls else [*rewards[: self.rest], *[None] * (len(rewards) - self.rest)]


def sampled(algorithm, letters, folder, *rewards, allowed=True, **job):
    own = {"allow_missing_rewards": True} if allowed else {}
    job = {"output_dir": str(folder), "batch_size": 2, "max_steps": 8, "learning_rate": 1e-3, **job}
    own |= job.pop("backend_args", {})
    return build_online(algorithm, letters, reward_functions=list(rewards), backend_args=own, **job)


def steps(run):
    return [event.step for event in run.events if isinstance(event, Stepped) and event.metrics]


# two of the calls are the trial before training
@pytest.mark.parametrize("algorithm", ["grpo", "rloo", "dr_grpo"])
def test_rewards_that_are_all_missing_stop_the_run_though_missing_ones_may_pass(algorithm, letters, tmp_path):
    run = sampled(algorithm, letters, tmp_path, Absent(calls=4))
    message = r"no completion of the last 3 batches has a reward, at step 5: 'absent' gave None or NaN for each\."
    with pytest.raises(RewardError, match=message) as caught:
        run.trainer.train()
    assert "allow_missing_rewards" in caught.value.fix
    assert any(isinstance(event, Started) for event in run.events)
    assert not any(isinstance(event, Finished) for event in run.events)


def test_one_batch_of_several_steps_is_one_batch(letters, tmp_path):
    run = sampled("gspo", letters, tmp_path, Absent(calls=2), max_steps=20)
    with pytest.raises(RewardError, match="at step 9"):
        run.trainer.train()


def test_a_punished_length_is_no_reward_for_an_answer(letters, tmp_path):
    run = sampled("dapo", letters, tmp_path, Absent(calls=2), backend_args={"dynamic_sampling": False})
    with pytest.raises(RewardError, match="at step 3: 'absent' gave None"):
        run.trainer.train()


def test_a_few_rewards_or_those_of_another_function_are_enough(letters, tmp_path):
    assert steps(trained(sampled("grpo", letters, tmp_path, Absent(calls=2, rest=3)))) == list(range(1, 9))
    assert steps(trained(sampled("grpo", letters, tmp_path, Absent(calls=2), share_of_a))) == list(range(1, 9))


def test_a_checker_that_is_out_for_a_moment_stops_nothing(letters, tmp_path):
    calls = []

    def flickering(completions, **_):
        calls.append(len(completions))
        return share_of_a(completions) if len(calls) % 3 == 0 else [float("nan")] * len(completions)

    assert steps(trained(sampled("grpo", letters, tmp_path, flickering))) == list(range(1, 9))


def test_without_the_option_the_first_missing_reward_stops_the_run(letters, tmp_path):
    run = sampled("grpo", letters, tmp_path, Absent(calls=4), allowed=False)
    with pytest.raises(RewardError, match="'absent' returned None for the completion"):
        run.trainer.train()
    assert steps(run) == [1, 2]


def test_the_option_is_of_the_algorithms_that_can_leave_a_completion_out(letters, tmp_path):
    for value, algorithm, code in (True, "ppo", "unknown-key"), ("yes", "grpo", "wrong-type"):
        with pytest.raises(JobError) as caught:
            build(algorithm, letters, PROMPTS, output_dir=str(tmp_path), reward_functions=[share_of_a],
                  backend_args={"allow_missing_rewards": value})  # fmt: skip
        assert [problem.code for problem in caught.value.problems] == [code]


@pytest.mark.parametrize("failing", ["rewards", "nothing"])
def test_a_run_that_was_stopped_exits_with_1(failing, letters, tmp_path, capsys, monkeypatch):
    # which refuses such rows before training
    monkeypatch.setattr("aligntune_trl.trainers.make.look_at_rows", lambda *_: None)
    job = {
        "model_name": letters,
        "backend": "trl",
        "output_dir": str(tmp_path),
        "max_steps": 6,
    }
    if failing == "rewards":
        job |= {"algorithm": "grpo", "dataset_name": PROMPTS, "reward_functions": [Absent(calls=2)],
                "max_completion_length": 8, "backend_args": {"allow_missing_rewards": True}}  # fmt: skip
    else:
        rows = [{"prompt": "ab" * 10, "completion": "a"}] * 20
        job |= {"algorithm": "sft", "dataset_name": rows, "max_seq_length": 8, "packing": True}
    progress = ConsoleProgress()
    outcome = run_as_the_command_line(decide(job), progress)
    say_why(outcome, progress)
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert "error:" in capsys.readouterr().err
    assert not (tmp_path / "model.safetensors").exists()


def test_the_step_at_which_a_run_diverges_is_told_before_it_stops(letters, tmp_path):
    run = resumable("sft", letters, tmp_path, learning_rate=1e30, lr_scheduler="constant", logging_steps=100)
    with pytest.raises(RunError, match="at step 2"):
        run.trainer.train()
    assert [event.step for event in run.events if isinstance(event, Stepped)] == [1, 2]


def test_what_stops_a_run_comes_after_what_tells_of_it_and_before_what_signs_its_checkpoints(letters, tmp_path):
    run = resumable("grpo", letters, tmp_path)
    names = [type(each).__name__ for each in run.trainer.native.callback_handler.callbacks]
    ours = ["EventCallback", "FiniteGuard", "JobInCheckpoints", "NothingLeft", "Effect"]
    assert [name for name in names if name in ours] == ours


def test_a_boundary_is_settled_before_a_step_is_told(letters, tmp_path):
    """Of a batch that serves two steps, only the last may be saved: whoever hears of a step hears what holds."""
    run = resumable("grpo", letters, tmp_path, backend_args={"steps_per_generation": 4}, save_steps=1)
    names = [type(each).__name__ for each in run.trainer.native.callback_handler.callbacks]
    assert names.index("BoundaryCheckpoints") < names.index("EventCallback")
