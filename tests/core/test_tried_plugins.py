"""A plugin is tried before it is packaged: it is named, and behaves as an installed one that is told to be tried."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aligntune_core.backends.backend import Status
from aligntune_core.backends.registry import Registry
from aligntune_core.check.decide import decide

SOURCE = """
from aligntune_core import BackendInfo, Capability, hookimpl

@hookimpl
def aligntune_backend_info():
    row = Capability("sft", features=["full", "cpu", "cuda"])
    return BackendInfo(name="acme", summary="", contract=1, capabilities=(row,))

@hookimpl
def aligntune_create_trainer(job, emit):
    raise NotImplementedError
"""


@pytest.fixture
def tried():
    """A registry in which these are named; what importing them left behind is forgotten afterwards."""
    path, modules = list(sys.path), set(sys.modules)

    def make(*named, points=(), **environ):
        return Registry(entry_points=points, environ={"ALIGNTUNE_PLUGINS": ",".join(named), **environ})

    yield make
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if "acme" in name or name.startswith("_aligntune_plugin"):
            del sys.modules[name]


def write(path, text=SOURCE):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_a_file_is_a_backend_named_by_its_info(tried, job):
    known = tried(write("plugin.py"))
    assert known.names() == ["trl", "unsloth", "acme"]
    found = known.get("acme")
    assert (found.status, found.reason) == (Status.READY, "")
    assert found.standing[0].reason == "'plugin.py', which --plugin or ALIGNTUNE_PLUGINS names"
    assert decide(job(backend="acme"), backends=known).ok
    assert decide(job(), backends=known).backend == "acme"


def test_a_module_is_found_where_python_finds_modules(tried, plugin_folder):
    write(plugin_folder / "acme_here.py")
    assert tried("acme_here").get("acme").ready


def test_a_file_of_a_package_imports_the_rest_of_it(tried):
    write("src/acme_pack/__init__.py", "")
    write("src/acme_pack/inner/__init__.py", "")
    write("src/acme_pack/words.py", "SUMMARY = 'x'")
    file = write(
        "src/acme_pack/inner/plugin.py", "from acme_pack.words import SUMMARY\nfrom . import __name__ as a\n" + SOURCE
    )
    known = tried(file)
    assert known.get("acme").ready, known.get("acme").reason
    assert sys.path[-1] == str(Path("src").resolve())


def test_nothing_beside_a_file_can_be_imported_or_found(tried):
    write("beside_acme.py", "1 / 0")
    write("plugin.py")
    assert Registry(entry_points=[], environ={}).names() == ["trl", "unsloth"]
    known = tried(write("other/plugin.py", "import beside_acme\n" + SOURCE))
    assert "No module named 'beside_acme'" in known.get("other/plugin.py").reason


BROKEN = {
    "fails": ("1 / 0", "can't be imported: ZeroDivisionError: division by zero"),
    "exits": ("raise SystemExit(3)", "can't be imported: SystemExit: 3"),
    "is no Python": ("def (", "can't be imported: SyntaxError"),
    "is empty": ("", "has no aligntune_backend_info"),
    "is of another contract": (SOURCE.replace("contract=1", "contract=99"), "needs version 99 of the contract"),
    "has no trainer": (SOURCE.partition("@hookimpl\ndef aligntune_create")[0], "has no aligntune_create_trainer"),
    "returns nonsense": (SOURCE.replace("return BackendInfo(", "return dict("), "returned dict, not BackendInfo"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_one_that_is_broken_harms_only_itself(tried, plugin, fault):
    text, said = BROKEN[fault]
    known = tried(write("odd_acme.py", text), points=[plugin("bolt")])
    found = known.all()
    (odd,) = [each for name, each in found.items() if name in {"acme", "odd_acme.py"}]
    assert odd.status is Status.BROKEN
    assert said in odd.reason
    assert odd.install == ""
    assert found["bolt"].ready


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("nowhere.py", "there is no file 'nowhere.py'"),
        ("./nowhere/plugin.py", "there is no file './nowhere/plugin.py'"),
        ("no_such_acme.plugin", "No module named 'no_such_acme'"),
        ("./rows.jsonl", "is no Python file"),
    ],
)
def test_what_is_not_there_is_told(tried, named, said):
    Path("rows.jsonl").write_text("{}")
    assert said in tried(named).get(named).reason


def test_a_name_that_is_taken_is_refused_as_of_an_installed_one(tried, plugin):
    known = tried(write("plugin.py"), points=[plugin("acme")])
    found = known.get("acme")
    assert (found.status, found.install) == (Status.BROKEN, "")
    assert found.reason == "'plugin.py', which --plugin or ALIGNTUNE_PLUGINS names and acme-dist both claim the name"
    both = tried(write("one.py"), write("two.py")).get("acme")
    assert both.status is Status.BROKEN
    owned = tried(write("own.py", SOURCE.replace('"acme"', '"trl"'))).all()
    (label,) = [name for name in owned if name.startswith("trl [")]
    assert owned[label].reason == "the name 'trl' belongs to the distribution aligntune-trl"


def test_it_can_be_blocked_as_an_installed_one(tried):
    file = write("plugin.py")
    assert tried(file, ALIGNTUNE_DISABLED_BACKENDS="acme").get("acme").status is Status.DISABLED
    assert tried(file, ALIGNTUNE_ONLY_BACKENDS="trl").get("acme").status is Status.DISABLED


def test_one_that_imports_an_engine_is_told_to_be_slow(tried, module_file, monkeypatch):
    module_file("accelerate")
    monkeypatch.delitem(sys.modules, "accelerate", raising=False)
    found = tried(write("plugin.py", "import accelerate\n" + SOURCE)).get("acme")
    assert found.reason == "importing its plugin imports accelerate, which makes every query slow"


def program(*words, **environ):
    return subprocess.run(
        [sys.executable, "-c", MAIN, *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ},
    )


MAIN = "from aligntune_core.cli.main import main; main()"


@pytest.mark.parametrize(
    "words",
    [
        ["backends", "--plugin", "plugin.py", "--json"],
        ["--plugin=plugin.py", "backends", "--json"],
        ["backends", "acme", "--json", "--plugin=plugin.py"],
    ],
)
def test_every_command_takes_the_option_anywhere(words):
    write("plugin.py", "print('a word on standard output')\n" + SOURCE)
    told = json.loads(program(*words).stdout)
    assert told["acme"]["status"] == "ready"
    assert "which --plugin or ALIGNTUNE_PLUGINS names" in told["acme"]["standing"]["installed"]["reason"]


def test_the_variable_and_the_option_add_up():
    write("plugin.py")
    write("bolt.py", SOURCE.replace('"acme"', '"bolt"'))
    told = json.loads(program("capabilities", "--json", "--plugin", "bolt.py", ALIGNTUNE_PLUGINS="plugin.py").stdout)
    assert {"acme", "bolt"} <= set(told["backends"])
    words = ["algorithm=sft", "model_name=org/model", "dataset_name=org/data", "backend=bolt"]
    assert json.loads(program("check", "--fast", "--json", "--plugin=bolt.py", *words).stdout)["ok"]


@pytest.mark.parametrize("words", [["backends", "--plugin"], ["backends", "--plugin", "--json"], ["--plugin="]])
def test_the_option_needs_a_name(words):
    done = program(*words)
    assert done.returncode == 2
    assert "--plugin names no plugin" in done.stderr
    assert "Traceback" not in done.stderr
