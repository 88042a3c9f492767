"""A plugin brings job keys, which its own backend takes and every other refuses by naming it."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, Field

from aligntune_core import Capability, Job, hookimpl
from aligntune_core.check.ask import check_job
from aligntune_core.check.decide import decide
from aligntune_core.check.trial import _shortened
from aligntune_core.jobs.schema import job_schema
from aligntune_core.run.launch import launch


class Keys(BaseModel):
    sparsity: float = Field(0.5, ge=0, lt=1, description="Share of weights that are left out")
    pattern: str | None = None


class Needed(BaseModel):
    sparsity: str


@pytest.fixture
def known(backends, fake):
    def make(**models):
        made = []
        for name, model in {"acme": Keys, **models}.items():
            row = {"full", "cpu"}
            plugin = fake(name, Capability("sft", features=row), job_keys=())
            plugin.aligntune_job_keys = hookimpl(lambda model=model: model() if not isinstance(model, type) else model)
            made.append(plugin)
        return backends(*made, fake("plain", Capability("sft", features={"full", "cpu"}), job_keys=()))

    return make


def test_its_own_backend_takes_a_key_as_it_was_written(known, job):
    verdict = decide(job(backend="acme", sparsity="0.25", pattern="2:4"), backends=known())
    assert verdict.ok, verdict.problems
    assert dict(verdict.job.further) == {"sparsity": "0.25", "pattern": "2:4"}
    assert Keys.model_validate(verdict.job.further).sparsity == 0.25
    assert verdict.job.to_dict()["sparsity"] == "0.25"
    assert verdict.job.is_set("pattern")
    again = decide(verdict.job.settings(), backends=known())
    assert again.job == verdict.job


def test_the_choice_falls_on_a_backend_that_takes_the_key(known, job):
    verdict = decide(job(sparsity=0.3), backends=known(zeta=Needed))
    assert verdict.backend == "acme"
    assert verdict.rejected["plain"].startswith("'sparsity' belongs to backend 'acme' and 'zeta', not to 'plain'.")
    assert "'sparsity' is 0.3, but text is expected" in verdict.rejected["zeta"]
    assert decide(job(sparsity="2:4"), backends=known(zeta=Needed)).backend == "zeta"


def test_a_backend_that_needs_a_key_is_not_chosen_without_it(known, job):
    verdict = decide(job(backend="zeta"), backends=known(zeta=Needed))
    assert [problem.message for problem in verdict.errors] == ["the job has no 'sparsity'."]
    assert decide(job(), backends=known(zeta=Needed)).backend == "acme"


def test_another_backend_refuses_it_and_names_its_owner(known, job):
    (problem,) = decide(job(backend="plain", sparsity=0.3), backends=known()).errors
    assert (problem.code, problem.key) == ("unsupported-key", "sparsity")
    assert problem.message == "'sparsity' belongs to backend 'acme', not to 'plain'."
    assert problem.fix == "Use backend='acme', or leave 'sparsity' out."


WRONG = {
    "out of bounds": ({"sparsity": 1.5}, "'sparsity' is 1.5, but must be less than 1."),
    "another type": ({"sparsity": "much"}, "'sparsity' is 'much', but a number is expected."),
    "a list": ({"pattern": ["2:4"]}, "'pattern' is ['2:4'], but text is expected."),
}


@pytest.mark.parametrize("fault", WRONG)
@pytest.mark.parametrize("backend", ["acme", None])
def test_a_wrong_value_is_told_as_of_any_key(known, job, fault, backend):
    values, said = WRONG[fault]
    registry = known()
    (problem,) = check_job(job(backend=backend, **values), level="fast", backends=registry).errors
    if backend:
        assert problem.message == said
        assert problem.key in values
    else:
        assert said.rstrip(".") in problem.message


@pytest.mark.parametrize(("written", "meant"), [("sparsty", "sparsity"), ("sed", "seed"), ("lr", "learning_rate")])
def test_a_misspelt_key_is_answered_with_the_nearest_of_all(known, job, written, meant):
    (problem,) = decide(job(backend="acme", **{written: 0.3}), backends=known()).errors
    assert (problem.code, problem.fix) == ("unknown-key", f"Did you mean '{meant}'?")


def test_no_other_plugin_is_imported_for_a_key_of_the_core_or_of_the_backend(plugin, job):
    from aligntune_core.backends.registry import Registry

    source = """
@hookimpl
def aligntune_backend_info():
    return BackendInfo("acme", "", 1, (Capability("sft", features={"full", "cpu"}),))
"""
    known = Registry(entry_points=[plugin("acme", after=source), plugin("bolt", before="1 / 0\n")], environ={})
    (problem,) = decide(job(backend="acme", sed=1), backends=known).errors
    assert problem.fix == "Did you mean 'seed'?"
    assert "bolt" not in known._backends


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (type("Keys", (BaseModel,), {"__annotations__": {"seed": int}}), "has 'seed', which is a key of every job"),
        (lambda: 1 / 0, "ZeroDivisionError"),
        (dict, "not a class of pydantic's BaseModel"),
    ],
)
def test_a_hook_that_brings_no_keys_is_its_backends_failure(known, job, model, said):
    registry = known(odd=model)
    (problem,) = decide(job(backend="odd"), backends=registry).errors
    assert problem.code == "backend-broken"
    assert "failed while it said what its job keys are" in problem.message
    assert said in problem.message
    assert decide(job(backend="acme", sparsity=0.1), backends=registry).ok
    assert decide(job(sparsity=0.1), backends=registry).backend == "acme"


def test_a_trainer_gets_the_key_and_a_trial_too(known, job):
    registry = known()
    seen = []
    acme = registry.get("acme").plugin
    launch(decide(job(backend="acme", sparsity=0.3), backends=registry), on_event=seen.append, backends=registry)
    (made, _) = acme.created[0]
    assert dict(made.further) == {"sparsity": 0.3}
    assert dict(_shortened(made, None, "folder", 2).further) == {"sparsity": 0.3}


def test_a_value_that_holds_itself_is_a_wrong_value_and_no_failure(known, job):
    endless = []
    endless.append(endless)
    (problem,) = decide(job(backend="acme", pattern=endless), backends=known()).errors
    assert problem.key == "pattern"


def test_a_job_made_by_hand_has_no_further_keys():
    with pytest.raises(ValueError, match="sparsity"):
        Job(algorithm="sft", model_name="m", dataset_name="d", sparsity=0.3)
    made = Job(algorithm="sft", model_name="m", dataset_name="d")
    with pytest.raises(TypeError):
        made.further["sparsity"] = 1
    assert made.with_further({"a": 1}) != made
    assert "further" not in made.to_dict()


def test_the_schema_takes_the_key_where_its_backend_is_named():
    schema = job_schema({}, {"acme": Keys, "zeta": Needed})
    assert schema["properties"]["sparsity"] == {"description": "Share of weights that are left out"}
    acme, zeta, sparsity, pattern = schema["allOf"]
    assert acme["if"]["properties"] == {"backend": {"const": "acme"}}
    assert acme["then"]["properties"]["sparsity"]["exclusiveMaximum"] == 1
    assert zeta["then"] == {
        "properties": {"sparsity": {"title": "Sparsity", "type": "string"}},
        "required": ["sparsity"],
    }
    assert sparsity == {
        "if": {"required": ["sparsity"]},
        "then": {"properties": {"backend": {"enum": ["acme", "zeta", "auto"]}}},
    }
    assert pattern["then"]["properties"]["backend"]["enum"] == ["acme", "auto"]
