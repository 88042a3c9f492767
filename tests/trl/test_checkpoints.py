"""A run goes on from a whole checkpoint or says why not."""

from __future__ import annotations

import pytest

from aligntune_core import CheckpointError
from aligntune_core.job import Job
from aligntune_trl.checkpoints import checkpoints, missing_files, resume_from
from aligntune_trl.checks import job_problems

WHOLE = ("trainer_state.json", "optimizer.pt", "scheduler.pt", "rng_state.pth", "model.safetensors")


@pytest.fixture
def checkpoint(tmp_path):
    """Write a checkpoint of a run, with everything that it needs but some files, and others empty."""

    def make(step, *, without=(), empty=(), weights="model.safetensors", run="out"):
        folder = tmp_path / run / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        for name in (*WHOLE[:-1], weights):
            if name not in without:
                (folder / name).write_bytes(b"" if name in empty else b"x")
        return folder

    return make


@pytest.fixture
def job(tmp_path):
    def make(resume, run="out"):
        return Job(
            algorithm="sft", model_name="m", dataset_name="d", output_dir=tmp_path / run, resume=resume, backend="trl"
        )

    return make


def test_a_whole_checkpoint_lacks_nothing(checkpoint):
    assert missing_files(checkpoint(1)) == []


@pytest.mark.parametrize(
    "weights",
    [
        "model.safetensors",
        "model.safetensors.index.json",
        "adapter_model.safetensors",
        "pytorch_model.bin",
        "adapter_model.bin",
    ],
)
def test_weights_come_in_many_files(checkpoint, weights):
    assert missing_files(checkpoint(1, weights=weights)) == []


def test_the_state_of_several_processes_is_a_state(checkpoint):
    folder = checkpoint(1, without=["rng_state.pth"])
    (folder / "rng_state_0.pth").write_bytes(b"x")
    assert missing_files(folder) == []


@pytest.mark.parametrize("name", WHOLE)
def test_a_checkpoint_that_lacks_a_file(checkpoint, name):
    said = "weights" if name == "model.safetensors" else name
    assert missing_files(checkpoint(1, without=[name])) == [said]


@pytest.mark.parametrize("name", ["trainer_state.json", "optimizer.pt", "scheduler.pt", "model.safetensors"])
def test_an_empty_file_is_a_missing_one(checkpoint, name):
    said = "weights" if name == "model.safetensors" else name
    assert missing_files(checkpoint(1, empty=[name])) == [said]


def test_checkpoints_are_counted_and_not_spelt(checkpoint, tmp_path):
    for step in (9, 10, 100):
        checkpoint(step)
    for other in ("checkpoint-", "checkpoint-best", "checkpoint-²", "checkpoint--5", "checkpoint-5.old", "other-7"):
        (tmp_path / "out" / other).mkdir()
    assert [folder.name for folder in checkpoints(tmp_path / "out")] == [
        "checkpoint-100",
        "checkpoint-10",
        "checkpoint-9",
    ]


def test_no_folder_holds_no_checkpoints(tmp_path):
    assert checkpoints(tmp_path / "nowhere") == []


@pytest.mark.parametrize("resume", [None, False])
def test_a_job_that_does_not_resume_starts_afresh(checkpoint, job, resume):
    checkpoint(5)
    assert resume_from(job(resume)) == (None, [])


def test_the_newest_checkpoint_is_gone_on_from(checkpoint, job):
    checkpoint(9)
    newest = checkpoint(10)
    assert resume_from(job(True)) == (newest, [])


def test_a_broken_checkpoint_is_passed_over_and_said(checkpoint, job):
    checkpoint(5, without=["optimizer.pt"])
    whole = checkpoint(10)
    checkpoint(15, without=["scheduler.pt", "trainer_state.json"])
    assert resume_from(job(True)) == (whole, ["checkpoint-15 lacks trainer_state.json, scheduler.pt"])
    (warning,) = [problem for problem in job_problems(job(True)) if problem.key == "resume"]
    assert (warning.code, str(warning.severity)) == ("checkpoint-broken", "warning")
    assert "a newer checkpoint is passed over: checkpoint-15 lacks" in warning.message


def test_only_broken_checkpoints_are_none(checkpoint, job):
    checkpoint(5, without=["optimizer.pt"])
    checkpoint(10, without=["model.safetensors"])
    with pytest.raises(CheckpointError) as caught:
        resume_from(job(True))
    assert "is whole: checkpoint-10 lacks weights; checkpoint-5 lacks optimizer.pt." in caught.value.message


def test_no_checkpoint_at_all(job):
    with pytest.raises(CheckpointError) as caught:
        resume_from(job(True))
    assert "'resume' is true, but" in caught.value.message
    assert "holds no checkpoint." in caught.value.message
    assert "leave resume out" in caught.value.fix


def test_a_named_checkpoint_is_gone_on_from(checkpoint, job):
    older = checkpoint(5, run="earlier")
    checkpoint(10, run="earlier")
    assert resume_from(job(str(older))) == (older, [])
    assert resume_from(job(older)) == (older, [])


@pytest.mark.parametrize("name", ["nowhere", "x" * 5000, "~no-such-user-anywhere/x", "/dev/null"])
def test_a_named_checkpoint_that_is_not_there(job, name):
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        resume_from(job(name))


def test_a_named_checkpoint_that_is_broken(checkpoint, job):
    with pytest.raises(CheckpointError, match=r"checkpoint-5' lacks optimizer\.pt\."):
        resume_from(job(checkpoint(5, without=["optimizer.pt"])))


def test_a_run_named_for_its_checkpoint_is_helped_on(checkpoint, job):
    folder = checkpoint(10).parent
    with pytest.raises(CheckpointError) as caught:
        resume_from(job(folder))
    assert caught.value.fix == f"Name a checkpoint in it, e.g. '{folder / 'checkpoint-10'}'."


@pytest.mark.parametrize("resume", [True, "nowhere"])
def test_what_cannot_be_resumed_is_a_problem_before_training(job, resume):
    (problem,) = [problem for problem in job_problems(job(resume)) if problem.key == "resume"]
    assert (problem.code, str(problem.severity)) == ("checkpoint", "error")
