"""A run that did nothing is told as such."""

from __future__ import annotations

from importlib.metadata import version

import pytest
import torch
from packaging.version import Version
from trl_runs import DATA, PROMPTS, build, build_online, share_of_a, trained

from aligntune_core import DataError, RunError
from aligntune_core.events import Finished
from aligntune_core.kit.weights import checksums

BEYOND = [{"prompt": "ab" * 10, "completion": "a"}] * 20
"""Rows whose answers begin after eight tokens."""


def equal(completions, **_):
    return [1.0] * len(completions)


def stopped(run):
    """The error that a run ends with; it is no finished run."""
    with pytest.raises(RunError) as caught:
        run.trainer.train()
    assert not any(isinstance(event, Finished) for event in run.events)
    return caught.value


@pytest.mark.parametrize("job", [{"max_steps": 3}, {"num_epochs": 2}])
@pytest.mark.parametrize("algorithm", ["sft", "dpo", "ppo"])
def test_rows_that_fill_no_batch(algorithm, job, letters, tmp_path):
    if algorithm == "ppo":
        job = {**job, "reward_functions": [share_of_a], "max_completion_length": 8}
    rows = PROMPTS if algorithm == "ppo" else DATA[algorithm]
    dropping = {"batch_size": 64, "backend_args": {"dataloader_drop_last": True}}
    error = stopped(build(algorithm, letters, rows, output_dir=str(tmp_path), **dropping, **job))
    assert error.message.startswith("no step was taken: the dataset's rows don't fill one batch")
    assert "lower batch_size" in error.fix


def test_a_fault_of_other_code_passes(letters, tmp_path):
    run = build("sft", letters, DATA["sft"], output_dir=str(tmp_path), max_steps=1)

    def faulty(*_args, **_keywords):
        raise ValueError("not the engine's")

    run.trainer.native.training_step = faulty
    with pytest.raises(ValueError, match="not the engine's"):
        run.trainer.train()


@pytest.fixture
def unseen(monkeypatch):
    """Rows with nothing to learn from are not found before training; on an engine whose loss is 0 then, not NaN."""
    monkeypatch.setattr("aligntune_trl.trainers.make.look_at_rows", lambda *_: None)
    if Version(version("trl")) < Version("1.13"):
        pytest.skip("this TRL's loss is NaN where nothing is learned, which stops a run as a divergence")


@pytest.mark.usefixtures("unseen")
@pytest.mark.parametrize("settings", [{}, {"weight_decay": 0.1}, {"logging_steps": 100}, {"use_peft": True}])
def test_answers_that_all_fall_beyond_the_length(settings, letters, tmp_path):
    job = {"max_seq_length": 8, "packing": True, "max_steps": 4, "learning_rate": 1e-2, "batch_size": 2, **settings}
    error = stopped(build("sft", letters, BEYOND, output_dir=str(tmp_path), **job))
    assert error.message == "nothing was learned: the gradient was exactly 0 in all 4 steps."
    assert "max_seq_length" in error.fix


def test_rows_with_nothing_to_learn_from_are_refused_before_training(letters, tmp_path):
    with pytest.raises(DataError, match="all 20 rows have nothing left to learn from within max_seq_length=8"):
        build("sft", letters, BEYOND, output_dir=str(tmp_path), max_seq_length=8, packing=True)


@pytest.mark.usefixtures("unseen")
def test_an_optimiser_without_averages(letters, tmp_path):
    job = {"max_seq_length": 8, "packing": True, "max_steps": 4, "backend_args": {"optim": "sgd"}}
    assert "exactly 0" in stopped(build("sft", letters, BEYOND, output_dir=str(tmp_path), **job)).message
    job = {"max_steps": 4, "learning_rate": 1e-3, "backend_args": {"optim": "sgd"}}
    assert trained(build("sft", letters, DATA["sft"], output_dir=str(tmp_path), **job)).warnings() == []


@pytest.mark.parametrize("algorithm", ["grpo", "dr_grpo", "rloo"])
def test_rewards_that_are_equal_from_beginning_to_end(algorithm, letters, tmp_path):
    job = {"output_dir": str(tmp_path), "reward_functions": [equal], "batch_size": 2, "learning_rate": 1e-2}
    error = stopped(build_online(algorithm, letters, max_steps=5, **job))
    assert error.message == "nothing was learned: the gradient was exactly 0 in all 5 steps."
    assert "equal rewards" in error.fix


def test_a_trial_of_a_few_steps_may_have_equal_rewards_by_chance(letters, tmp_path):
    job = {"output_dir": str(tmp_path), "reward_functions": [equal], "max_steps": 2}
    (said,) = trained(build_online("grpo", letters, **job)).warnings()
    assert said.startswith("nothing was learned: the gradient was exactly 0 in all 2 steps.")


@pytest.mark.parametrize("algorithm", ["sft", "dpo"])
def test_weights_that_stay_as_they_are_though_there_were_gradients_are_a_warning(algorithm, letters, tmp_path):
    job = {"output_dir": str(tmp_path), "max_steps": 3, "batch_size": 2}
    (said,) = trained(build(algorithm, letters, DATA[algorithm], learning_rate=1e-30, **job)).warnings()
    assert said.startswith("no trained weight changed in 3 steps")
    assert "Raise learning_rate" in said
    assert trained(build(algorithm, letters, DATA[algorithm], learning_rate=1e-5, **job)).warnings() == []


def test_the_last_digit_of_one_weight_is_a_change(letters, tmp_path):
    model = build("sft", letters, DATA["sft"], output_dir=str(tmp_path)).trainer.model
    for weight in model.parameters():
        before = checksums(model)
        with torch.no_grad():
            place = weight.view(-1)[-1:]
            place.copy_(torch.nextafter(place, torch.tensor([torch.inf])))
        assert checksums(model) != before


@pytest.mark.parametrize("resumed_at", [2, 3])
def test_a_resumed_run_is_judged_by_its_own_steps(resumed_at, letters, tmp_path):
    job = {"output_dir": str(tmp_path), "max_steps": 3, "batch_size": 2, "save_steps": 1, "learning_rate": 1e-3}
    trained(build("sft", letters, DATA["sft"], **job))
    run = build("sft", letters, DATA["sft"], resume=str(tmp_path / f"checkpoint-{resumed_at}"), **job)
    assert trained(run).warnings() == []
