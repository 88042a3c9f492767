"""``aligntune backends NAME`` and ``aligntune schema`` show what each backend takes in ``backend_args``."""

import pytest
from pydantic import BaseModel, Field

from aligntune_core import hookimpl
from aligntune_core.backends import registry as plugins


class Settings(BaseModel):
    act: str = Field("none", description="What happens at step 2")
    shards: int = Field(1, ge=1)


class WithCallable(BaseModel):
    act: type = int


@pytest.fixture
def declares():
    def make(settings):
        known = plugins.registry()
        plugin = known.get("toy").plugin
        known._plugins.manager.unregister(name="toy")
        known._backends.pop("toy")
        plugin.aligntune_settings = hookimpl(settings)
        known.register("toy", plugin)

    return make


def test_a_backend_that_is_named_shows_its_settings(aligntune, declares):
    declares(lambda: Settings)
    said = aligntune("backends", "TOY")
    assert said.code == 0
    words = " ".join(said.out.split())
    assert "toy ready" in words
    assert 'act: text (default: "none") What happens at step 2' in words
    assert "shards: a whole number, at least 1 (default: 1)" in words
    assert "trl" not in said.out
    told = aligntune("backends", "toy", "--json").json
    assert set(told) == {"toy"}
    assert told["toy"]["settings"]["sft"]["properties"]["shards"]["minimum"] == 1
    assert told["toy"]["status"] == "ready"


def test_a_backend_without_settings_says_so(aligntune):
    assert "does not describe its settings" in aligntune("backends", "toy").out
    assert aligntune("backends", "toy", "--json").json["toy"]["settings"] is None


def test_a_backend_that_nobody_has(aligntune):
    said = aligntune("backends", "toi")
    assert said.code == 2
    assert "there is no backend 'toi'. Did you mean 'toy'?" in " ".join(said.err.split())
    assert "Traceback" not in said.err


def test_a_backend_that_is_not_installed_says_so(aligntune):
    known = plugins.registry()
    known._entry_points.clear()
    said = aligntune("backends", "unsloth")
    assert said.code == 0
    assert "aligntune-unsloth is not installed" in " ".join(said.out.split())


def test_the_schema_has_the_settings_of_every_backend_that_says_them(aligntune, declares):
    declares(lambda: Settings)
    cases = aligntune("schema").json["allOf"]
    (case,) = [each for each in cases if each["if"]["properties"]["backend"] == {"const": "toy"}]
    assert case["then"]["properties"]["backend_args"]["properties"]["shards"]["minimum"] == 1


@pytest.mark.parametrize("settings", [lambda: 3, lambda: 1 / 0, lambda: WithCallable])
def test_a_backend_whose_settings_can_not_be_told_keeps_no_schema_back(aligntune, declares, settings):
    declares(settings)
    said = aligntune("schema")
    assert said.code == 0
    assert set(said.json["properties"]) >= {"algorithm", "backend_args"}
    assert "backend 'toy' failed while it" in said.err
    assert "Traceback" not in said.err
    shown = aligntune("backends", "toy")
    assert shown.code == 0
    assert "toy" in shown.out


def test_the_keys_that_a_backend_brings_are_shown_taken_and_in_the_schema(aligntune, declares, tmp_path):
    class Keys(BaseModel):
        sparsity: float = Field(0.5, ge=0, lt=1, description="Share of weights that are left out")

    known = plugins.registry()
    known.get("toy").plugin.aligntune_job_keys = hookimpl(lambda: Keys)
    declares(lambda: Settings)
    words = " ".join(aligntune("backends", "toy").out.split())
    assert "job keys of its own sparsity: a number, at least 0 and less than 1 (default: 0.5) Share of weights" in words
    assert aligntune("backends", "toy", "--json").json["toy"]["job_keys"]["properties"]["sparsity"]["minimum"] == 0
    assert "sparsity" in aligntune("schema").json["properties"]
    job = tmp_path / "job.yaml"
    job.write_text("algorithm: sft\nbackend: toy\nmodel_name: model\ndataset_name: rows.jsonl\nsparsity: 1.5\n")
    said = aligntune("check", "--fast", str(job), "--json")
    (problem,) = said.json["problems"]
    assert problem["message"] == "'sparsity' is 1.5, but must be less than 1."
    assert problem["where"].endswith("job.yaml:5")
    assert aligntune("check", "--fast", str(job), "sparsity=0.1").code == 0
