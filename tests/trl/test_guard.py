"""A run that diverged is no success, and a model that can't be written is no surprise."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file
from trl_runs import resumable, trained

from aligntune_core import RunError, Stepped
from aligntune_core.events import CheckpointSaved, Finished

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
