"""``aligntune plugin export`` writes what a distribution ships of its plugin, and says where that is out of date."""

import importlib
import json
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from aligntune_core import hookimpl
from aligntune_core.backends import registry as plugins
from aligntune_core.backends.recorded import from_text


def test_it_writes_what_the_plugin_says(aligntune, toy):
    said = aligntune("plugin", "export", "toy")
    assert said.code == 0
    recorded = from_text(said.out)
    assert recorded.info == toy.ToyBackend().aligntune_backend_info()
    rows = [line.strip() for line in said.out.splitlines() if line.strip().startswith('{"algorithm"')]
    assert len(rows) == len(recorded.info.capabilities), "a row is a line, so that a change of it is one"


def test_it_writes_the_settings_that_the_plugin_declares(aligntune):
    class Settings(BaseModel):
        shards: int = Field(1, ge=1)

    known = plugins.registry()
    plugin = known.get("toy").plugin
    known._manager.unregister(name="toy")
    known._backends.pop("toy")
    plugin.aligntune_settings = hookimpl(lambda: Settings)
    known.register("toy", plugin)
    (group,) = json.loads(aligntune("plugin", "export", "toy").out)["settings"]
    assert "sft" in group["algorithms"]
    assert group["schema"]["properties"]["shards"]["minimum"] == 1
    aligntune("plugin", "export", "toy", "-o", "toy.json")
    assert aligntune("plugin", "export", "toy", "--check", "-o", "toy.json").code == 0
    Path("toy.json").write_text(Path("toy.json").read_text().replace('"minimum": 1', '"minimum": 2'))
    assert "in the settings of 'sft'" in aligntune("plugin", "export", "toy", "--check", "-o", "toy.json").out


def test_it_writes_the_same_into_a_file(aligntune):
    said = aligntune("plugin", "export", "TOY", "-o", "toy.json")
    assert (said.code, said.out) == (0, "")
    assert Path("toy.json").read_text(encoding="utf-8") == aligntune("plugin", "export", "toy").out


def test_a_file_that_is_up_to_date_passes(aligntune):
    aligntune("plugin", "export", "toy", "-o", "toy.json")
    Path("toy.json").write_text(json.dumps(json.loads(Path("toy.json").read_text())))
    said = aligntune("plugin", "export", "toy", "--check", "-o", "toy.json")
    assert (said.code, said.out) == (0, "What is recorded of 'toy' is what its plugin says.\n")


def test_a_file_that_is_out_of_date_fails_and_what_differs_is_named(aligntune):
    aligntune("plugin", "export", "toy", "-o", "toy.json")
    values = json.loads(Path("toy.json").read_text())
    values["info"]["summary"] = "old"
    before = json.dumps(values)
    Path("toy.json").write_text(before)
    said = aligntune("plugin", "export", "toy", "--check", "--output", "toy.json")
    assert said.code == 1
    assert said.out == (
        "What is recorded of 'toy' is not what its plugin says in 'summary'. "
        "Write it anew with: aligntune plugin export toy -o toy.json\n"
    )
    assert Path("toy.json").read_text() == before


@pytest.mark.parametrize(
    ("text", "said"), [("{", "it is no JSON"), ('{"format": 9}', "in format 9"), (None, "'toy.json' can't be read")]
)
def test_a_file_that_is_no_record_fails(aligntune, text, said):
    if text is not None:
        Path("toy.json").write_text(text)
    told = aligntune("plugin", "export", "toy", "--check", "-o", "toy.json")
    assert told.code == 1
    assert told.out.startswith("What is recorded of 'toy' can't be used: ")
    assert said in told.out


def test_a_distribution_that_ships_no_file_fails(aligntune):
    told = aligntune("plugin", "export", "toy", "--check")
    assert told.code == 1
    assert "no entry point 'toy' in the group aligntune_core.backend_info" in told.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tuy"], "there is no backend 'tuy'. Did you mean 'toy'?"),
        (["toy", "-o", "nowhere/toy.json"], "'nowhere/toy.json' can't be written: No such file or directory."),
    ],
)
def test_what_can_not_be_done_is_said(aligntune, words, said):
    told = aligntune("plugin", "export", *words)
    assert told.code == 2
    assert said in " ".join(told.err.split())
    assert "Traceback" not in told.err


def test_a_backend_whose_plugin_can_not_be_asked_is_said(aligntune, monkeypatch):
    monkeypatch.setenv("ALIGNTUNE_ONLY_BACKENDS", "toy")
    plugins.registry.cache_clear()
    told = aligntune("plugin", "export", "trl")
    assert told.code == 2
    assert "the plugin of backend 'trl' can't be asked: ALIGNTUNE_ONLY_BACKENDS does not name it." in told.err


def test_constraints_that_are_not_there_are_said(aligntune, monkeypatch, tmp_path):
    package = tmp_path / "constrained"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "plugin.py").write_text(
        "from aligntune_core import BackendInfo, hookimpl\n"
        "@hookimpl\n"
        "def aligntune_backend_info():\n"
        "    return BackendInfo('acme', '', 1, (), constraints='constraints.txt')\n"
        "@hookimpl\n"
        "def aligntune_create_trainer(job): ...\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins.registry().register("acme", importlib.import_module("constrained.plugin"))
    told = aligntune("plugin", "export", "acme")
    assert told.code == 2
    assert "names the constraints 'constraints.txt', and constrained has no such file." in " ".join(told.err.split())
    (package / "constraints.txt").write_text("")
    assert aligntune("plugin", "export", "acme").json["info"]["constraints"] == "constraints.txt"


def test_it_says_what_it_has(aligntune):
    assert "export" in aligntune("plugin", "--help").out
    assert "--check" in aligntune("plugin", "export", "--help").out
