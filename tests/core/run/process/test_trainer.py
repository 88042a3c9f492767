"""A trainer whose engine is in a process of its own, as a user sees it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from processes import is_there

from aligntune_core.errors import AlignTuneError, BackendError, DataError, JobError, RunError
from aligntune_core.events import CheckpointSaved, Decided, Notice, Saved
from aligntune_core.run.launch import create_trainer
from aligntune_core.trainer import Trainer, TrainResult


def test_it_trains_evaluates_and_saves_as_in_this_process(made):
    here, there = [], []
    results = []
    for told, isolation in ((here, None), (there, "process")):
        trainer = made(told, isolation=isolation, eval_dataset_name="other.jsonl")
        assert isinstance(trainer, Trainer)
        results.append((trainer.train(), trainer.evaluate(), trainer.save(), trainer.save("merged", merge=True)))
    assert results[0] == results[1]
    assert results[1][0] == TrainResult(3, 2.5, "out", {"epoch": 1.0, "logged": 0.0})
    assert here == there
    assert there[0] == Decided("acting", "the job names it")
    assert Path("merged/model.txt").read_text() == "merged"


def test_what_is_chosen_is_said_with_the_reason_that_this_process_had(made):
    told = []
    made(told, backend="auto")
    assert told[0].reason == "it is the first that supports the whole job here"
    assert "trl" in told[0].rejected


def test_folder_and_environment_are_the_same_and_the_process_is_another(made, monkeypatch):
    monkeypatch.setenv("PASSED", "on")
    told = []
    made(told, made="look")
    pid, folder, passed, engines = json.loads(next(event.message for event in told if isinstance(event, Notice)))
    assert pid != os.getpid()
    assert (folder, passed, engines) == (str(Path.cwd()), "on", [])


def test_numbers_cross_to_the_last_digit(made):
    metrics = {"third": 1 / 3, "tiny": 5e-324, "lost": float("inf"), "count": 10**30}
    told = []
    made(told, metrics=metrics).train()
    assert told[2].metrics == {"loss": 4.0, **metrics}


@pytest.mark.parametrize("member", ["model", "tokenizer", "native"])
def test_what_stays_in_the_other_process_is_refused_with_the_way_out(made, member):
    trainer = made()
    with pytest.raises(AlignTuneError, match=f"trainer.{member} is in process") as refused:
        getattr(trainer, member)
    assert "leave out isolation" in refused.value.fix


def test_a_job_that_is_wrong_is_refused_as_in_this_process(keys):
    refused = []
    for isolation in (None, "process"):
        with pytest.raises(JobError) as error:
            create_trainer(**keys(isolation=isolation, batch_size=0, lr=3))
        refused.append(error.value.problems)
    assert refused[0] == refused[1]


def test_an_error_of_the_engine_s_process_is_the_same_error(made):
    with pytest.raises(DataError) as error:
        made(made="data-error")
    assert (error.value.message, error.value.fix, error.value.code) == (
        "no row is left.", "Look at column_mapping.", "data",
    )  # fmt: skip
    assert "aligntune_acting.py" in error.value.__notes__[-1]
    with pytest.raises(RunError) as error:
        made(act="run-error").train()
    assert (error.value.message, error.value.code) == ("the loss is odd.", "odd-loss")
    assert repr(error.value.__cause__) == "ValueError('inf in layer 3')"
    with pytest.raises(JobError) as error:
        made(made="job-error")
    assert error.value.problems[0].where == "f:3"


def test_an_exception_that_this_process_does_not_know_is_of_the_nearest_class(made):
    with pytest.raises(RuntimeError, match="the engine's own words") as error:
        made(act="engine-error").train()
    assert type(error.value).__name__ == "EngineError"
    assert "Raised by backend 'acting' while it trained." in error.value.__notes__


def test_what_a_listener_raises_ends_the_training_and_is_raised_itself(made):
    raised = ZeroDivisionError("in the listener")
    steps = []

    def listen(event):
        if hasattr(event, "step"):
            steps.append(event.step)
            raise raised

    with pytest.raises(ZeroDivisionError) as error:
        made(on_event=listen).train()
    assert error.value is raised
    assert steps == [1]


def test_a_listener_may_save_while_the_training_waits(made):
    told = []

    def listen(event):
        told.append(event)
        if getattr(event, "step", 0) == 2:
            trainer.save("between")

    trainer = made(on_event=listen)
    trainer.train()
    assert Path("between/model.txt").exists()
    assert [type(event).__name__ for event in told] == [
        "Decided", "Started", "Stepped", "Stepped", "Saved", "Stepped", "Finished",
    ]  # fmt: skip
    assert told[4] == Saved("between")
    assert CheckpointSaved not in set(map(type, told))


def test_what_the_engine_prints_goes_to_the_log_alone(made, capfd):
    trainer = made(act="printing")
    trainer.train()
    assert capfd.readouterr().out == ""
    printed = trainer.log.read_bytes()
    assert b"the engine prints" in printed
    assert b"and complains" in printed
    trainer.close()
    assert not trainer.log.exists()


def test_a_trainer_that_is_let_go_ends_its_process(keys):
    trainer = create_trainer(on_event=lambda _: None, **keys())
    pid = trainer._child.pid
    assert is_there(pid)
    del trainer
    assert not is_there(pid)


def test_nothing_is_asked_of_a_trainer_that_was_closed(made):
    trainer = made()
    trainer.close()
    with pytest.raises(RunError, match="the trainer was closed"):
        trainer.train()


def test_an_interpreter_may_be_named(keys):
    told = []
    trainer = create_trainer(python=sys.executable, on_event=told.append, **keys(isolation=None))
    assert trainer.train().steps == 3
    with pytest.raises(BackendError, match="'/no/python' can't be started: No such file"):
        create_trainer(python="/no/python", **keys())


def test_a_python_program_that_ends_leaves_no_process(keys):
    code = f"""
from aligntune_core.run.launch import create_trainer
trainer = create_trainer(on_event=lambda event: None, **{keys()!r})
print(trainer._child.pid)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert not is_there(int(done.stdout))
