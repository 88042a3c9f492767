"""A plugin that imports an engine is told, each one, and stands in nobody else's way."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from aligntune_core.backends.queries import capabilities, find_backends, supports
from aligntune_core.backends.registry import Registry
from aligntune_core.check.decide import decide
from aligntune_core.doctor.look import doctor

TRAINS = """
@hookimpl
def aligntune_backend_info():
    return BackendInfo({!r}, "", 1, (Capability("sft", features=("full", "cpu")),), {})

@hookimpl
def aligntune_check_job(job):
    return []
"""
TOLD = "importing its plugin imports {}, which makes every query slow"


@pytest.fixture(autouse=True)
def torch(module_file, monkeypatch):
    """A stand-in for torch, which was not imported yet."""
    for name in [each for each in sys.modules if each.partition(".")[0] in {"torch", "transformers"}]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("torch", "transformers"):
        module_file(name)


@pytest.fixture
def trains(plugin):
    """The entry point of a plugin that trains sft on a CPU."""

    def make(name, before="", info=""):
        return plugin(name, before=before, after=TRAINS.format(name, info))

    return make


def registry(*points):
    return Registry(entry_points=points, environ={})


HEAVY = "import torch\n"
PICKY = "import_order=(ImportOrder('needs_first', ('torch',)),), conflicts=('transformers',)"
PICKY_IMPORT = "from aligntune_core import ImportOrder\n"


def test_a_query_tells_each_heavy_plugin_and_imports_no_engine(trains):
    known = registry(
        trains("a_one", HEAVY), trains("b_two", "from torch import __name__\n"), trains("c_light"),
        trains("d_three", "import importlib\nimportlib.import_module('transformers')\n"),
    )  # fmt: skip
    found = known.all()
    assert found["a_one"].reason == found["b_two"].reason == TOLD.format("torch")
    assert found["d_three"].reason == TOLD.format("transformers")
    assert found["c_light"].reason == ""
    assert all(found[name].ready for name in ("a_one", "b_two", "c_light", "d_three"))
    assert {row.backend for row in capabilities(algorithm="sft", backends=known)} >= {"a_one", "b_two", "d_three"}
    assert [each.usable for each in find_backends("sft", usable=True, backends=known)] == [True] * 4
    assert supports("a_one", "sft", usable=True, backends=known)
    assert not {"torch", "transformers"} & set(sys.modules)


def test_one_that_is_heavy_is_told_where_the_engine_was_there_before(trains):
    import torch  # noqa: F401

    known = registry(trains("a_one", HEAVY), trains("b_two", HEAVY), trains("c_light"))
    assert [known.get(name).reason for name in ("a_one", "b_two", "c_light")] == [TOLD.format("torch")] * 2 + [""]


def test_one_that_is_heavy_by_a_module_that_others_import_too_is_told(trains, module_file):
    module_file("of_both", HEAVY)
    module_file("of_none")
    second = "from of_both import torch\n"
    known = registry(trains("a_one", "import of_both\n"), trains("b_two", second), trains("c", "import of_none\n"))
    assert [known.get(name).reason for name in ("a_one", "b_two", "c")] == [TOLD.format("torch")] * 2 + [""]


def test_one_that_catches_whatever_is_raised_is_told(trains):
    caught = "try:\n    import torch\nexcept BaseException:\n    torch = None\n"
    point = trains("odd", caught)
    known = registry(point)
    assert known.declared("odd").reason == TOLD.format("torch")
    assert point.value not in sys.modules
    assert known.get("odd").plugin, known.get("odd").reason
    assert known.get("odd").plugin.torch is not None


def test_one_that_does_without_an_engine_that_is_not_installed_is_light(trains):
    known = registry(trains("odd", "try:\n    import unsloth\nexcept ImportError:\n    pass\n"))
    assert known.declared("odd").reason == ""
    assert known.declared("odd").plugin is not None


@pytest.mark.parametrize("heavy", ["a_heavy", "z_heavy"])
def test_it_hurts_no_import_order_of_another(trains, job, heavy):
    known = registry(trains(heavy, "import torch, transformers\n"), trains("picky", PICKY_IMPORT, PICKY))
    verdict = decide(job(), backends=known)
    assert (verdict.ok, verdict.backend, verdict.warnings) == (True, "picky", ())
    assert verdict.rejected[heavy] == "'picky' comes first"
    found = {each.subject: each.code for each in doctor(network=False, backends=known).findings if each.subject}
    assert found["picky"] == "backend-ready"
    codes = [each.code for each in doctor(network=False, backends=known).findings if each.subject == heavy]
    assert codes == ["backend-heavy", "backend-ready"]
    assert "torch" not in sys.modules


def test_it_is_used_where_it_is_named_or_the_only_one(trains, job):
    for keys in ({"backend": "heavy"}, {}):
        known = registry(trains("heavy", HEAVY))
        verdict = decide(job(**keys), backends=known)
        assert (verdict.ok, verdict.backend) == (True, "heavy")
        assert [problem.code for problem in verdict.warnings] == ["backend-heavy"]
        assert known.get("heavy").plugin is not None


def test_one_that_is_broken_besides_is_told_so(trains):
    known = registry(trains("odd", "import torch\n1 / 0\n"), trains("gone", "import torch, os\nos._exit(3)\n"))
    assert known.declared("odd").reason.endswith("can't be imported: ZeroDivisionError: division by zero")
    assert "ends the process that imports it, with 3" in known.declared("gone").reason


def test_what_it_finds_in_the_way_of_its_jobs_is_told_without_importing_it(plugin):
    after = TRAINS.format("ill", "") + (
        "\n@hookimpl\ndef aligntune_diagnose():\n    from aligntune_core import Problem\n    "
        "print('loud')\n    return [Problem('no-licence', 'there is no licence.')]\n"
    )
    known = registry(plugin("ill", before=HEAVY + "print('loud')\n", after=after))
    findings = {each.code: each.message for each in doctor(network=False, backends=known).findings}
    assert findings["no-licence"] == "there is no licence."
    assert "writes to standard output, 'loud'" in findings["backend-side-effect"]
    assert not find_backends("sft", usable=True, backends=known)
    assert "torch" not in sys.modules


def test_the_program_answers_whole(trains, plugin_folder):
    point = trains("heavy", HEAVY + "print('loud')\nimport atexit\natexit.register(print, 'bye')\n")
    info = plugin_folder / "heavy-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text(f"[aligntune_core.backends]\nheavy = {point.value}\n")
    paths = [str(plugin_folder), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-c", "from aligntune_core.cli.main import main; main()", "capabilities", "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    found = json.loads(done.stdout)["backends"]["heavy"]
    assert (found["status"], found["reason"]) == ("ready", TOLD.format("torch"))
