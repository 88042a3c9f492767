"""A job for a backend of another environment runs there, with nothing else to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aligntune.environments import create, remove
from aligntune_core.backends import registry as plugins
from aligntune_core.backends.registry import registry
from aligntune_core.check.examination import Level
from aligntune_core.errors import BackendError, JobError, SetupError
from aligntune_core.provisioning.request import Request
from aligntune_core.run.ask import check
from aligntune_core.run.launch import create_trainer

from .conftest import write_wheel

ACTING = Path(__file__).parents[1] / "run/process/acting.py"


@pytest.fixture
def acting(uv, wheels, tmp_path, monkeypatch):
    """A backend that acts as if it trained, in an environment of its own and nowhere else."""
    files = {"aligntune_acting.py": ACTING.read_text(encoding="utf-8")}
    points = "[aligntune_core.backends]\nacting = aligntune_acting\n"
    wheel = write_wheel(tmp_path, "aligntune-acting", files, requires=("aligntune-core",), points=points)
    made = create(Request("acting", str(wheel), source=str(wheels)))
    assert uv.exists(), "not the stand-in made it"
    work = tmp_path / "work"
    (work / "model").mkdir(parents=True)
    (work / "model/config.json").write_text("{}")
    rows = [{"instruction": f"Say {n}", "output": f"{n}"} for n in range(8)]
    (work / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.chdir(work)
    plugins.registry.cache_clear()
    yield made
    plugins.registry.cache_clear()


def keys(**changes):
    given = {"algorithm": "sft", "backend": "acting", "model_name": "model", "dataset_name": "rows.jsonl"}
    return {**given, "output_dir": "out", **changes}


@pytest.mark.parametrize("isolation", [None, "process"])
def test_it_runs_there_and_keeps_the_environment(acting, isolation, monkeypatch):
    # what says where this interpreter imports from is nothing to the other one
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    assert registry().get("acting").environment == acting
    told = []
    changes = {"isolation": isolation} if isolation else {}
    trainer = create_trainer(on_event=told.append, **keys(**changes))
    try:
        result = trainer.train()
        assert result.steps > 0
        names = [type(event).__name__ for event in told]
        assert names[0] == "Decided"
        assert {"Started", "Stepped", "Finished"} <= set(names)
        assert told[0].reason == "the job names it"
        with pytest.raises(SetupError, match="'acting' is in use"):
            remove("acting")
    finally:
        trainer.close()
    remove("acting")


@pytest.mark.usefixtures("acting")
def test_a_job_that_is_wrong_is_refused_as_ever():
    with pytest.raises(JobError, match="there is no algorithm 'sftt'"):
        create_trainer(on_event=lambda _: None, **keys(algorithm="sftt"))
    with pytest.raises(JobError, match="backend 'acting' does not train 'sft' with packing"):
        create_trainer(on_event=lambda _: None, **keys(packing=True))


@pytest.mark.usefixtures("acting")
@pytest.mark.parametrize("level", ["data", "probe"])
def test_a_check_looks_there(level):
    verdict = check(level=level, **keys())
    assert not verdict.problems, verdict.problems[0].message
    assert verdict.examination.level is Level(level)
    assert verdict.examination.data[0].rows == 8
    assert (verdict.examination.trial is not None) == (level == "probe")
    assert json.dumps(verdict.to_dict())
    refused = check(level=level, **keys(dataset_name=[{"prompt": "a"}]))
    assert [each.code for each in refused.errors], refused
    fast = check(level="fast", **keys())
    assert fast.ok
    assert fast.examination is None


def test_a_check_where_nothing_answers_says_so(acting):
    Path(acting.python).unlink()
    (problem,) = check(level="data", **keys()).errors
    assert problem.code == "environment"
    assert "can't be looked at in the environment 'acting'" in problem.message
    assert problem.fix.endswith("aligntune env check acting")


def test_an_environment_that_broke_since_is_told(acting):
    assert registry().get("acting").ready
    Path(acting.python).unlink()
    with pytest.raises(BackendError, match="can't be started") as refused:
        create_trainer(on_event=lambda _: None, **keys())
    assert acting.python in str(refused.value)
