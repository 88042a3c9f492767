"""What a model's name stands for is worked out in one place, the same for checks and for loading."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from aligntune_core.check.on_disk import model_problem
from aligntune_core.errors import ModelError
from aligntune_core.models.cache import cache_folder
from aligntune_core.models.source import BUILTIN_MODELS, ModelKind, model_source
from aligntune_core.models.tiny import materialise

ROOT = Path(__file__).parents[2]


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A home with a model of each kind that can lie in a folder; it is also where the process is."""
    for folder, file in (("whole", "config.json"), ("adapter", "adapter_config.json"), ("empty", "")):
        (tmp_path / folder).mkdir()
        if file:
            (tmp_path / folder / file).write_text("{}")
    both = tmp_path / "both"
    both.mkdir()
    for file in ("config.json", "adapter_config.json"):
        (both / file).write_text("{}")
    (tmp_path / "model.GGUF").write_bytes(b"GGUF")
    (tmp_path / "notes.txt").write_text("no model")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "kind", "path"),
    [
        ("org/name", ModelKind.HUB, None),
        ("gpt2", ModelKind.HUB, None),
        ("whole", ModelKind.FOLDER, "whole"),
        ("~/whole", ModelKind.FOLDER, "{home}/whole"),
        ("./nothing", ModelKind.FOLDER, "nothing"),
        ("a/b/c", ModelKind.FOLDER, "a/b/c"),
        ("notes.txt", ModelKind.FOLDER, "notes.txt"),
        ("empty", ModelKind.FOLDER, "empty"),
        ("adapter", ModelKind.ADAPTER, "adapter"),
        ("~/adapter", ModelKind.ADAPTER, "{home}/adapter"),
        ("both", ModelKind.FOLDER, "both"),
        ("model.GGUF", ModelKind.GGUF, "model.GGUF"),
        ("~/gone.gguf", ModelKind.GGUF, "{home}/gone.gguf"),
        ("~nobody-of-that-name/m", ModelKind.FOLDER, "~nobody-of-that-name/m"),
        ("builtin:huge", ModelKind.BUILTIN, None),
    ],
)
def test_a_name_stands_for(models, name, kind, path):
    source = model_source(name)
    assert (source.name, source.kind) == (name, kind)
    assert source.path == (Path(path.format(home=models)) if path else None)


@pytest.mark.parametrize("name", ["m" * 5000, "a\0b"])
def test_a_name_that_no_disk_can_hold_is_that_of_nothing(name):
    assert not model_source(name).is_there


def test_engines_get_the_name_as_it_was_given_but_for_what_they_could_not_find(models):
    assert model_source("./whole/").place == "./whole/"
    assert model_source("org/name").place == "org/name"
    assert model_source("~/whole").place == str(models / "whole")


def test_a_built_in_model_lies_where_it_is_made(monkeypatch, tmp_path):
    monkeypatch.setenv("ALIGNTUNE_CACHE", str(tmp_path))
    source = model_source("builtin:tiny")
    assert source.path is not None
    assert source.path.parent == cache_folder() == tmp_path
    assert (source.place, source.is_there, source.is_local) == (str(source.path), False, False)


@pytest.mark.parametrize("name", BUILTIN_MODELS)
def test_every_built_in_model_can_be_made(name):
    assert materialise(name) == model_source(name).path
    assert model_source(name).is_there


@pytest.mark.parametrize("name", ["builtin:tinny", "org/name"])
def test_nothing_else_is_made_as_a_built_in_model(name):
    with pytest.raises(ModelError, match=f"there is no model '{name}'"):
        materialise(name)


def test_check_and_making_say_the_same_of_a_built_in_model_that_there_is_none_of():
    problem = model_problem("builtin:tinny")
    with pytest.raises(ModelError) as raised:
        materialise("builtin:tinny")
    assert problem is not None
    assert (problem.message, problem.fix) == (raised.value.message, raised.value.fix)


def test_asking_imports_neither_an_engine_nor_pydantic():
    code = (
        "import sys; from aligntune_core.models.source import model_source; model_source('org/name');"
        "print(sorted({'torch', 'transformers', 'datasets', 'numpy', 'pydantic', 'yaml'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def texts(path: Path) -> set[str]:
    """The texts that a module compares or asks names for, of those that tell kinds of models apart."""
    calls = [node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call)]
    asked = [node for node in calls if ast.unparse(node.func).endswith((".startswith", ".endswith"))]
    return {each.value for node in asked for each in ast.walk(node) if isinstance(each, ast.Constant)}


@pytest.mark.parametrize(
    "folder", ["aligntune_core/src/aligntune_core/models", "aligntune_trl/src", "aligntune_unsloth/src"]
)
def test_no_other_module_reads_kinds_off_names(folder):
    found = {str(path): texts(path) & {"builtin:", ".gguf"} for path in (ROOT / folder).rglob("*.py")}
    assert {Path(path).as_posix().removeprefix(f"{ROOT}/") for path, said in found.items() if said} <= {
        "aligntune_core/src/aligntune_core/models/source.py"
    }
