"""A backend that describes its settings as a model has ``backend_args`` checked, documented and in the schema by it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, model_validator

from aligntune_core import Capability, hookimpl
from aligntune_core.backends.queries import capabilities
from aligntune_core.check.ask import check_job
from aligntune_core.check.decide import decide
from aligntune_core.jobs.schema import job_schema
from aligntune_core.jobs.setting_words import setting_words

MINIMAL = Path(__file__).parents[1] / "plugins/minimal/src"
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]


class Optimiser(BaseModel):
    name: Literal["adamw", "lion"] = "adamw"
    eps: float = Field(1e-8, gt=0)


class Settings(BaseModel):
    """What acme takes."""

    shards: int = Field(1, ge=1, le=64, description="Parts that the model is cut into")
    betas: tuple[Share, Share] = Field((0.9, 0.999), description="Decay rates")
    fused: bool = False
    kernel: Literal["auto", "plain"] = Field("auto", description="Which kernels run")
    length: int | Literal["model"] | None = None
    optimiser: Optimiser = Optimiser()
    layers: list[str] = []
    multiple: int = Field(8, multiple_of=8)

    @model_validator(mode="after")
    def _together(self):
        if self.fused and self.kernel == "plain":
            raise ValueError("fused needs kernel: auto")
        return self


class DpoSettings(Settings):
    margin: float = Field(0.0, description="How far apart answers have to be")


@pytest.fixture
def known(backends, fake):
    """A registry with the backend acme, whose hook gives what it is made with."""

    def make(settings=None, problems=()):
        def told(algorithm):
            return {"sft": Settings, "dpo": DpoSettings}[algorithm]

        row = {"full", "cpu"}
        acme = fake("acme", Capability("sft", features=row), Capability("dpo", features=row), problems=problems)
        acme.aligntune_settings = hookimpl(settings or told)
        return backends(acme, "plain")

    return make


WRONG = {
    "an unknown name": (
        {"shard": 2},
        "unknown-key",
        "backend 'acme' has no setting 'shard'.",
        "Did you mean 'shards'?",
    ),
    "another type": ({"shards": "many"}, "wrong-type", "'backend_args.shards' is 'many', but a whole number", ""),
    "true for a number": ({"shards": True}, "wrong-type", "'backend_args.shards' is True, but a number is", ""),
    "too large": ({"shards": 65}, "out-of-range", "'backend_args.shards' is 65, but must be at most 64.", ""),
    "no choice": ({"kernel": "plan"}, "not-a-choice", "'backend_args.kernel' is 'plan'", "Did you mean 'plain'?"),
    "an item": ({"betas": [0.9, 1]}, "out-of-range", "'backend_args.betas.1' is 1, but must be less than 1.", ""),
    "too few items": ({"betas": [0.9]}, "missing-key", "the job has no 'backend_args.betas.1'.", ""),
    "two types": ({"length": 1.5}, "wrong-type", "is 1.5, but a whole number or 'model' is expected.", ""),
    "a nested name": ({"optimiser": {"name": "lyon"}}, "not-a-choice", "'backend_args.optimiser.name' is", "'lion'?"),
    "no mapping": ({"optimiser": 3}, "wrong-type", "'backend_args.optimiser' is 3, but a mapping is expected.", ""),
    "another rule": ({"multiple": 7}, "wrong-type", "'backend_args.multiple' is 7: input should be a multiple", ""),
    "together": ({"fused": True, "kernel": "plain"}, "contradiction", "fused needs kernel: auto.", ""),
    "of dpo": ({"margin": 0.5}, "no-effect", "'backend_args.margin' has no effect on 'sft'.", "Leave it out."),
}


@pytest.mark.parametrize("fault", WRONG)
@pytest.mark.parametrize("backend", ["acme", "auto"])
def test_what_is_wrong_with_a_setting_is_said_as_of_a_job_key(known, job, fault, backend):
    values, code, message, fix = WRONG[fault]
    registry = known()
    if backend == "auto":
        registry._backends.pop("plain")
    verdict = decide(job(backend=backend, backend_args=values), backends=registry)
    (problem,) = verdict.errors
    assert problem.code == code
    assert message in problem.message
    assert fix in problem.fix
    assert problem.key.startswith("backend_args")


def test_all_that_is_wrong_is_said_at_once(known, job):
    values = {"shard": 1, "shards": 0, "kernel": 3, "betas": "x"}
    verdict = decide(job(backend="acme", backend_args=values), backends=known())
    assert sorted(problem.key for problem in verdict.errors) == [f"backend_args.{name}" for name in sorted(values)]


def test_what_is_right_passes_and_stays_as_it_was_written(known, job):
    values = {"shards": 2, "betas": [0.8, 0.9], "length": "model", "optimiser": {"name": "lion"}, "layers": ["a"]}
    verdict = decide(job(backend="acme", backend_args=values), backends=known())
    assert verdict.ok, verdict.problems
    assert verdict.job.backend_args == values
    assert decide(job(algorithm="dpo", backend="acme", backend_args={"margin": 1}), backends=known()).ok


def test_a_backend_that_describes_nothing_checks_its_settings_itself(known, job):
    assert decide(job(backend="plain", backend_args={"anything": 1}), backends=known()).ok
    assert decide(job(backend="acme", backend_args={"anything": 1}), backends=known(lambda: None)).ok


def test_the_backends_own_check_is_not_asked_about_what_was_refused(known, job, monkeypatch):
    registry, seen = known(), []
    monkeypatch.setattr(registry, "problems", lambda *_, job, **__: seen.append(dict(job.backend_args)) or [])
    decide(job(backend="acme", backend_args={"shards": 0, "fused": True, "shard": 1}), backends=registry)
    assert seen == [{"fused": True}]


BROKEN = {
    "no class": (lambda: {"shards": int}, "its aligntune_settings gave {'shards': <class 'int'>}, not a class of"),
    "another class": (lambda: dict, "its aligntune_settings gave <class 'dict'>, not a class of pydantic's BaseModel"),
    "fails": (lambda: 1 / 0, "ZeroDivisionError"),
    "exits": (lambda: sys.exit(3), "SystemExit: 3"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_hook_that_gives_no_model_is_its_backends_failure(known, job, fault):
    gives, said = BROKEN[fault]
    registry = known(gives)
    (problem,) = decide(job(backend="acme"), backends=registry).errors
    assert problem.code == "backend-broken"
    assert "backend 'acme' failed while it said what its settings are" in problem.message
    assert said in problem.message
    assert decide(job(backend="plain"), backends=registry).ok
    assert decide(job(), backends=registry).backend == "plain"


def test_a_validator_that_fails_is_its_backends_failure(known, job):
    class Odd(BaseModel):
        size: int = 1

        @model_validator(mode="after")
        def _fail(self):
            raise KeyError("size")

    (problem,) = decide(job(backend="acme"), backends=known(lambda: Odd)).errors
    assert problem.code == "backend-broken"
    assert "failed while it checked its settings: KeyError" in problem.message


def test_a_query_calls_no_settings(known):
    def settings():
        raise AssertionError

    assert capabilities(backends=known(settings))


def test_settings_in_words():
    told = {each.name: (each.takes, each.default, each.meaning) for each in setting_words(DpoSettings)}
    assert told == {
        "shards": ("a whole number, at least 1 and at most 64", "1", "Parts that the model is cut into"),
        "betas": (
            "a list of 2, each a number, at least 0 and less than 1",
            "[0.9, 0.999]",
            "Decay rates",
        ),
        "fused": ("true or false", "false", ""),
        "kernel": ("one of auto, plain", '"auto"', "Which kernels run"),
        "length": ("a whole number or model or null", "null", ""),
        "optimiser": ("a mapping", '{"name": "adamw", "eps": 1e-08}', ""),
        "layers": ("a list, each text", "[]", ""),
        "multiple": ("a whole number", "8", ""),
        "margin": ("a number", "0.0", "How far apart answers have to be"),
    }


def test_the_schema_of_a_job_file_has_the_settings_of_each_backend_and_algorithm():
    plain = job_schema()
    assert "allOf" not in plain
    schema = job_schema({"acme": {"sft": Settings, "dpo": DpoSettings, "kto": Settings}})
    first, second = schema["allOf"]
    assert first["if"] == {
        "properties": {"backend": {"const": "acme"}, "algorithm": {"enum": ["sft", "kto"]}},
        "required": ["backend", "algorithm"],
    }
    arguments = first["then"]["properties"]["backend_args"]
    assert arguments["additionalProperties"] is False
    assert arguments["properties"]["shards"]["maximum"] == 64
    assert "margin" not in arguments["properties"]
    assert second["if"]["properties"]["algorithm"] == {"enum": ["dpo"]}
    reference = arguments["properties"]["optimiser"]["$ref"]
    assert schema["$defs"][reference.removeprefix("#/$defs/")]["properties"]["name"]["enum"] == ["adamw", "lion"]


def test_the_sample_backends_settings(monkeypatch):
    monkeypatch.syspath_prepend(str(MINIMAL))
    from aligntune_minimal.arguments import ARGUMENTS

    from aligntune_core.jobs.settings import setting_problems

    def keys(algorithm, **values):
        return [problem.key for problem in setting_problems(ARGUMENTS[algorithm], values, "backend 'minimal'")]

    assert keys("unlikelihood", adam_betas=[0.8, 0.99], unlikelihood_weight=0) == []
    assert keys("sft", unlikelihood_weight=1) == ["unlikelihood_weight"]
    assert keys("unlikelihood", adam_betas=[0.9, 1.0], unlikelihood_weight=-1) == [
        "adam_betas.1",
        "unlikelihood_weight",
    ]


def test_a_refused_setting_is_not_told_as_the_plans_failure(known, job):
    registry = known()
    acme = registry.get("acme")
    verdict = check_job(job(backend="acme", backend_args={"shards": 0}), level="fast", backends=registry)
    assert [problem.key for problem in verdict.errors] == ["backend_args.shards"]
    assert acme.ready
