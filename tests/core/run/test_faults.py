"""What docs/jobs.md promises of a run holds with any backend: each fault is planted in one, and told to the user."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from faults import FAULTS
from scripted import JOB, RESULT, RUN, STEPS, Script, ScriptedTrainer, driven, made

from aligntune_core import CheckpointSaved, DataReady, Evaluated, Finished, Notice, RunError, Saved, Started, Stepped
from aligntune_core.cli.main import main


@pytest.mark.parametrize("fault", FAULTS)
def test_a_python_user_is_told_of_a_fault(planted, fault):
    script, kind, said = FAULTS[fault]
    planted(script)
    with pytest.raises(kind) as caught:
        driven()
    assert type(caught.value) is kind
    assert said in caught.value.message
    assert caught.value.fix


@pytest.mark.parametrize("fault", ["no step", "no step after a resume", "a mean loss at the end"])
def test_a_run_that_came_to_nothing_is_not_told_as_finished(planted, fault):
    planted(FAULTS[fault][0])
    told = []
    with pytest.raises(RunError):
        driven(told)
    assert not any(isinstance(event, Finished) for event in told)


@pytest.mark.parametrize("words", [[], ["--json"]])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_user_of_the_program_is_told_of_a_fault(planted, capfd, fault, words):
    script, kind, _ = FAULTS[fault]
    planted(script)
    with pytest.raises(SystemExit) as end:
        main(["train", *(f"{key}={value}" for key, value in JOB.items()), *words])
    out, err = capfd.readouterr()
    assert end.value.code == 1
    assert "error: " in err
    assert "Traceback" not in err
    if words:
        assert out.count("\n") == 1
        told = json.loads(out)
        assert (told["status"], told["backend"], told["error"]["type"]) == ("failed", "planted", kind.__name__)
        assert told["error"]["message"] in " ".join(err.split())
    else:
        assert out == ""


def test_a_run_that_keeps_its_promises_is_left_as_it_is(planted, capfd):
    planted(Script(before=[DataReady("training data", "rows.jsonl", "alpaca", 8), Notice("hello")]))
    told = []
    assert driven(told) == {"eval_loss": 1.0}
    kinds = [type(event).__name__ for event in told if not isinstance(event, Notice) or not event.warning]
    assert kinds == [
        "Decided", "DataReady", "Notice", "Started", "Stepped", "Stepped", "Stepped", "Finished", "Saved",
    ]  # fmt: skip
    with pytest.raises(SystemExit) as end:
        main(["train", *(f"{key}={value}" for key, value in JOB.items()), "--json"])
    assert end.value.code == 0
    assert json.loads(capfd.readouterr().out)["metrics"] == {"eval_loss": 1.0}


@pytest.mark.parametrize(
    ("events", "result"),
    [
        ([Started(3, 3), Finished(3, 0.0)], RESULT),  # it goes on from its own end
        ([Started(3, 5), Finished(5, 0.0)], replace(RESULT, steps=5)),
        ([Started(0), *STEPS, Finished(3, 1.0)], RESULT),  # a length that is not known
        ([Started(9), *STEPS, Finished(3, 1.0)], RESULT),  # stopped early
        ([Started(3), STEPS[0], Stepped(1, {"loss": 1.0}), Evaluated(1, {}), CheckpointSaved(1, "x"), *STEPS[1:],
          CheckpointSaved(2, "x"), Finished(3, 1), Evaluated(3, {}), Notice("done")], RESULT),
        ([Started(3), Stepped(3), Finished(3, 1.0)], replace(RESULT, train_loss=None)),
        ([*RUN, *RUN], RESULT),  # two phases
    ],
)  # fmt: skip
def test_what_is_right_passes(planted, events, result):
    planted(Script(events=events, result=result))
    Path("x").mkdir()
    told = []
    assert made(told).train() == result
    assert told[1:] == list(events)


def test_a_backend_that_tells_nothing_is_told_of_once(planted):
    planted(Script(events=[]))
    told = []
    assert made(told).train() == RESULT
    (notice,) = told[1:]
    assert notice.message == "backend 'planted' sent no Started and no Finished, so that little was told."
    assert notice.warning


def test_where_a_model_was_saved_is_told_once(planted):
    class Telling(ScriptedTrainer):
        def save(self, path=None, *, merge=False):
            folder = super().save(path, merge=merge)
            self.emit(Saved(str(folder)))
            return folder

    for kind in (ScriptedTrainer, Telling):
        planted(Script(), kind)
        told = []
        assert made(told).save("there") == Path("there")
        assert told[1:] == [Saved("there")]


def test_a_checkpoint_that_is_not_there_is_a_warning(planted, monkeypatch):
    planted(Script(events=[Started(3), *STEPS[:1], CheckpointSaved(1, "out/checkpoint-1"), *RUN[2:]]))
    told = []
    made(told).train()
    assert [type(event).__name__ for event in told[3:5]] == ["CheckpointSaved", "Notice"]
    assert told[4].message == "backend 'planted' told of a checkpoint at 'out/checkpoint-1', where there is nothing."
    monkeypatch.setenv("RANK", "3")
    made(told := []).train()
    assert not any(isinstance(event, Notice) for event in told)
    monkeypatch.delenv("RANK")
    planted(Script(events=[Started(3), *STEPS[:1], CheckpointSaved(1, "s3://place/checkpoint-1"), *RUN[2:]]))
    made(told := []).train()
    assert not any(isinstance(event, Notice) for event in told)


def test_only_the_first_process_of_several_looks_for_the_model(planted, monkeypatch):
    planted(Script(save=lambda folder: folder))
    monkeypatch.setenv("RANK", "1")
    assert made().save() == Path("out")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(RunError, match="does not exist"):
        made().save()
