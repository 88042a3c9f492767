"""Intervals that a run is too short for."""

import pytest

from aligntune_core import Capability, Job, Notice, Started
from aligntune_core.check.decide import decide
from aligntune_core.check.schedule import schedule_problems
from aligntune_core.run.launch import launch


def codes(steps, **keys):
    job = Job(algorithm="sft", model_name="m", dataset_name="d", **keys)
    return [(problem.code, problem.key, str(problem.severity)) for problem in schedule_problems(job, steps)]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"warmup_steps": 10}, [("warmup-too-long", "warmup_steps", "warning")]),
        ({"warmup_steps": 9}, []),
        ({"warmup_steps": 0}, []),
        ({"save_steps": 11}, [("no-checkpoint", "save_steps", "warning")]),
        ({"save_steps": 10}, []),
        ({"eval_steps": 11, "eval_dataset_split": "test"}, [("never-evaluated", "eval_steps", "warning")]),
        ({"eval_steps": 11}, []),
        ({"logging_steps": 11}, [("never-logged", "logging_steps", "warning")]),
        ({}, []),
    ],
)
def test_an_interval_beyond_the_run_is_said(keys, expected):
    assert codes(10, **keys) == expected


def test_a_decision_says_it_where_the_job_names_its_steps(backends, job):
    verdict = decide(job(max_steps=5, save_steps=50), backends=backends("fake"))
    assert verdict.ok
    assert [problem.code for problem in verdict.warnings] == ["no-checkpoint"]


def test_a_run_says_it_once_it_knows_its_steps(fake, backends, job):
    plugin = fake("fake", Capability("sft", features={"full", "cpu"}))

    def create(emit, **_):
        emit(Started(total_steps=7))
        return plugin.trainer

    known = backends(plugin)
    known.hook = lambda backend, name, hook=known.hook: (
        create if name == "aligntune_create_trainer" else hook(backend, name)
    )
    heard = []
    launch(decide(job(save_steps=50), backends=known), on_event=heard.append, backends=known)
    warned = [event for event in heard if isinstance(event, Notice)]
    assert [(event.code, event.key, event.warning) for event in warned] == [("no-checkpoint", "save_steps", True)]
    assert "the run has 7 steps" in warned[0].message
