"""A run goes on from a whole checkpoint or says why not."""

from __future__ import annotations

import io
import json
import zipfile
from struct import pack

import pytest

from aligntune_core import CheckpointError
from aligntune_core.job import Job
from aligntune_core.kit.checkpoints.choose import checkpoints, resume_from
from aligntune_core.kit.checkpoints.origin import JOB_FILE, other_data, write_job
from aligntune_core.kit.checkpoints.whole import faults, missing_files
from aligntune_trl.checks.job import job_problems

WHOLE = ("trainer_state.json", "optimizer.pt", "scheduler.pt", "rng_state.pth", "model.safetensors")


def content(name):
    """The bytes of a whole file of that name, as small as can be."""
    if name.endswith(".index.json"):
        return b'{"weight_map": {}}'
    if name.endswith(".json"):
        return b'{"global_step": 5}'
    if name.endswith(".safetensors"):
        header = json.dumps({"__metadata__": {}, "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
        return pack("<Q", len(header)) + header + bytes(8)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("archive/data.pkl", b"x" * 100)
    return archive.getvalue()


@pytest.fixture
def checkpoint(tmp_path):
    """Write a checkpoint of a run, with everything that it needs but some files, and others empty."""

    def make(step, *, without=(), empty=(), weights="model.safetensors", run="out"):
        folder = tmp_path / run / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        for name in (*WHOLE[:-1], weights):
            if name not in without:
                (folder / name).write_bytes(b"" if name in empty else content(name))
        return folder

    return make


@pytest.fixture
def job(tmp_path):
    def make(resume, run="out", **other):
        named = {"algorithm": "sft", "model_name": "m", "dataset_name": "d", **other}
        return Job(**named, output_dir=tmp_path / run, resume=resume, backend="trl")

    return make


def test_a_whole_checkpoint_lacks_nothing(checkpoint):
    assert faults(checkpoint(1)) == []


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
    assert faults(checkpoint(1, weights=weights)) == []


def test_the_state_of_several_processes_is_a_state(checkpoint):
    folder = checkpoint(1, without=["rng_state.pth"])
    (folder / "rng_state_0.pth").write_bytes(content("rng_state_0.pth"))
    assert faults(folder) == []


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


def cut(data):
    return data[:-5]


BROKEN = {
    # file: how it is broken, what is said
    "optimizer.pt": (cut, "it is cut short"),
    "scheduler.pt": (cut, "it is cut short"),
    "rng_state.pth": (lambda _: b"", "it is empty"),
    "model.safetensors": (cut, "it is cut short"),
    "trainer_state.json": (cut, "it isn't a JSON object"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_breaks_its_checkpoint(checkpoint, job, name):
    older, newer = checkpoint(5), checkpoint(10)
    change, why = BROKEN[name]
    (newer / name).write_bytes(change(content(name)))
    assert resume_from(job(True)) == (older, [f"checkpoint-10 has a broken {name}: {why}"])
    with pytest.raises(CheckpointError, match=rf"checkpoint-10' has a broken {name}: {why}\."):
        resume_from(job(newer))


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("rng_state_3.pth", b"PK\x03\x04", "it is cut short"),
        ("scaler.pt", b"\0" * 50, "it isn't a file of torch's"),
        ("model.safetensors", b"\1\0", "it is cut short"),
        ("model.safetensors", pack("<Q", 2) + b"[]", "its header can't be read"),
        ("model.safetensors", pack("<Q", 2) + b"{}x", "it goes on after its end"),
        ("trainer_state.json", b"{}", "it names no global_step"),
        ("model.safetensors.index.json", b"[]", "it isn't an index of weights"),
        (
            "model.safetensors.index.json",
            b'{"weight_map": {"w": "model-2.safetensors"}}',
            "'model-2.safetensors' isn't",
        ),
    ],
)
def test_files_break_in_many_ways(checkpoint, name, data, why):
    folder = checkpoint(5)
    (folder / name).write_bytes(data)
    (fault,) = faults(folder)
    assert fault.startswith(f"has a broken {name}: {why}")


def test_torchs_older_format_is_whole(checkpoint):
    folder = checkpoint(5)
    (folder / "optimizer.pt").write_bytes(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j")
    assert faults(folder) == []


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"algorithm": "dpo"}, "is of algorithm 'sft', but the job is of 'dpo'."),
        ({"model_name": "n"}, "is of model 'm', but the job is of 'n'."),
        ({"use_peft": True}, "is of all weights (use_peft: false), but the job is of adapters (use_peft: true)."),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(checkpoint, job, other, said):
    folder = checkpoint(5)
    write_job(job(None), folder)
    for resume in (True, folder):
        with pytest.raises(CheckpointError) as caught:
            resume_from(job(resume, **other))
        assert caught.value.message == f"the checkpoint '{folder}' {said}"
        assert caught.value.fix


def test_the_same_model_may_be_named_in_two_ways(checkpoint, job, tmp_path, monkeypatch):
    (tmp_path / "m").mkdir()
    write_job(job(None), checkpoint(5))
    monkeypatch.chdir(tmp_path)
    assert resume_from(job(True, model_name=str(tmp_path / "m")))[0]


def test_other_data_is_said(checkpoint, job):
    folder = checkpoint(5)
    assert other_data(job(True), folder) == ""
    write_job(job(None), folder)
    assert other_data(job(True), folder) == ""
    assert "learned from the dataset 'd', and this job goes on with 'e'" in other_data(
        job(True, dataset_name="e"), folder
    )
    assert resume_from(job(True, dataset_name="e")) == (folder, [])


@pytest.mark.parametrize("data", [None, b"", b"{", b"[]"])
def test_a_checkpoint_that_does_not_say_whose_it_is_has_to_hold_the_right_weights(checkpoint, job, data):
    whole, adapters = checkpoint(5), checkpoint(5, run="lora", weights="adapter_model.safetensors")
    for folder in (whole, adapters):
        if data is not None:
            (folder / JOB_FILE).write_bytes(data)
    assert resume_from(job(True))[0] == whole
    assert resume_from(job(True, "lora", use_peft=True))[0] == adapters
    with pytest.raises(CheckpointError, match="is of all weights"):
        resume_from(job(True, use_peft=True))
    with pytest.raises(CheckpointError, match="is of adapters"):
        resume_from(job(True, "lora"))
