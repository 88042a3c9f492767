"""Queries answer from what distributions recorded of their plugins, and import a plugin only to check or use it."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from aligntune_core import Algorithm, BackendInfo, Capability, DatasetKind, Task
from aligntune_core.backends.backend import Status
from aligntune_core.backends.queries import capabilities, find_backends, supports
from aligntune_core.backends.recorded import Recorded, to_values
from aligntune_core.backends.registry import Registry
from aligntune_core.check.decide import decide
from aligntune_core.doctor.backends import standing_findings

FEATURES = ("full", "cpu", "cuda")
SAYS = """
@hookimpl
def aligntune_backend_info():
    return BackendInfo({name!r}, "", 1, (Capability("sft", features=("full", "cpu", "cuda")),))
"""
OWN = Algorithm("own", "Own", Task.SFT, DatasetKind.DEMONSTRATIONS, "here", aliases=("mine",))


HOOKS = ("aligntune_backend_info", "aligntune_create_trainer")


def told(name, *rows, algorithms=(), hooks=HOOKS, **info):
    rows = rows or (Capability("sft", features=FEATURES),)
    return to_values(Recorded(BackendInfo(name, "", 1, rows, **info), algorithms, hooks=hooks))


@pytest.fixture
def recorded(plugin, plugin_folder):
    """Backends whose distributions recorded something; a record of None is that which the plugin says."""

    def make(records, environ=None, **written):
        points, files = [], []
        for name, record in records.items():
            point = plugin(name, **{"after": SAYS.format(name=name), **written})
            points.append(point)
            package = plugin_folder / f"{point.value}_data"
            package.mkdir()
            # importing the package itself would be seen
            (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
            text = record if isinstance(record, str) else json.dumps(told(name) if record is None else record)
            (package / "backend.json").write_text(text)
            file = EntryPoint(name, f"{package.name}:backend.json", "aligntune_core.backend_info")
            vars(file).update(dist=point.dist)
            files.append(file)
        known = Registry(entry_points=points, environ=environ or {}, records=files)
        return known, {point.name: point.value for point in points}

    return make


def imported(modules):
    return [name for name, module in modules.items() if module in sys.modules]


def test_queries_import_nothing(recorded):
    known, modules = recorded({"acme": None, "bolt": None})
    assert [row.backend for row in capabilities(algorithm="sft", backends=known)] == ["acme", "bolt"]
    assert [found.name for found in find_backends("sft", backends=known)] == ["acme", "bolt"]
    assert supports("acme", "sft", backends=known)
    assert not supports("acme", "dpo", backends=known)
    assert [backend.ready for backend in known.all(imported=False).values()] == [False, False, True, True]
    assert imported(modules) == []


def test_a_check_imports_the_backend_that_it_names(recorded, job):
    known, modules = recorded({"acme": None, "bolt": None})
    assert decide(job(backend="bolt"), backends=known).ok
    assert imported(modules) == ["bolt"]


def test_auto_imports_the_one_that_it_chooses(recorded, job):
    record = told("acme", Capability("dpo", features=FEATURES))
    known, modules = recorded({"acme": record, "bolt": None, "cork": None})
    verdict = decide(job(), backends=known)
    assert (verdict.backend, verdict.rejected["cork"]) == ("bolt", "'bolt' comes first")
    assert "backend 'acme' does not train 'sft'" in verdict.rejected["acme"]
    assert imported(modules) == ["bolt"]


@pytest.mark.parametrize(("hooks", "asked"), [((*HOOKS, "aligntune_formats"), True), (None, True), (HOOKS, False)])
def test_auto_asks_those_that_may_know_the_format_of_strange_data(recorded, job, hooks, asked):
    known, modules = recorded({"acme": None, "bolt": told("bolt", hooks=hooks)})
    decide(job(dataset_name=[{"strange": "row"}]), backends=known)
    assert ("bolt" in imported(modules)) == asked


def test_hooks_that_are_not_those_of_the_record_are_told(recorded, job):
    known, _ = recorded({"acme": told("acme", hooks=(*HOOKS, "aligntune_diagnose"))})
    (warning,) = decide(job(backend="acme"), backends=known).problems
    assert "they differ in the hooks" in warning.message


def test_only_what_asks_for_use_asks_a_plugin(recorded):
    known, modules = recorded({"acme": None, "bolt": told("bolt", requirements=("no-such-engine",))})
    assert [found.name for found in find_backends("sft", usable=True, backends=known)] == ["acme"]
    assert imported(modules) == ["acme"]


def test_a_plugin_that_says_another_thing_where_it_is_asked_is_heard(recorded):
    known, _ = recorded({"acme": told("acme", Capability("dpo", features=FEATURES))})
    assert supports("acme", "dpo", backends=known)
    assert not supports("acme", "dpo", usable=True, backends=known)
    # from now on it is known what it says
    assert not supports("acme", "dpo", backends=known)
    assert supports("acme", "sft", backends=known)


def test_a_module_without_a_record_is_imported_as_ever(plugin):
    point = plugin("acme")
    assert Registry(entry_points=[point], environ={}).declared("acme").plugin is sys.modules[point.value]


def test_an_algorithm_that_only_a_record_tells_of_is_known(recorded):
    record = told("acme", Capability("own", features=FEATURES), algorithms=(OWN,))
    known, modules = recorded({"acme": record, "bolt": None})
    assert supports("acme", "mine", backends=known)
    assert OWN in known.algorithms(["acme"])
    assert known.brought("acme") == (OWN,)
    assert imported(modules) == []


SCHEMA = {"type": "object", "properties": {"shards": {"type": "integer"}}, "additionalProperties": False}


def test_settings_that_were_recorded_are_not_compared_where_a_job_is_checked(recorded, job):
    record = {**told("acme"), "settings": [{"algorithms": ["sft"], "schema": SCHEMA}]}
    known, modules = recorded({"acme": record})
    assert supports("acme", "sft", backends=known)
    assert imported(modules) == []
    assert decide(job(backend="acme"), backends=known).problems == ()


def test_a_record_does_not_make_a_backend_usable(recorded):
    known, modules = recorded({"acme": None}, {"ALIGNTUNE_DISABLED_BACKENDS": "acme"})
    assert known.declared("acme").status is Status.DISABLED
    known, more = recorded({"acme": told("acme", requirements=("no-such-engine>=2",))})
    assert known.declared("acme").status is Status.MISSING
    assert "no-such-engine" in known.declared("acme").reason
    assert imported(modules) == imported(more) == []


def test_how_it_stands_says_that_it_was_not_imported(recorded):
    known, _ = recorded({"acme": None})
    standing = {each.question: each for each in known.declared("acme").standing}
    assert standing["plugin"].yes is None
    assert standing["plugin"].reason == "not imported: what its distribution recorded of it was read"
    assert standing["device"].yes
    known.get("acme")
    assert known.declared("acme").standing[1].yes


DRIFT = "is not what its plugin says, which holds: they differ in 'summary', the row for 'dpo'"


def test_what_is_out_of_date_is_told_when_the_plugin_is_imported(recorded, job):
    rows = (Capability("sft", features=FEATURES), Capability("dpo", features=FEATURES))
    known, _ = recorded({"acme": to_values(Recorded(BackendInfo("acme", "old", 1, rows), hooks=HOOKS))})
    assert known.declared("acme").notes == ()
    (warning,) = decide(job(backend="acme"), backends=known).warnings
    assert (warning.code, warning.key) == ("backend-record", "backend")
    assert warning.message == f"backend 'acme': what its distribution recorded of it {DRIFT}."
    assert warning.fix == "Its authors write it anew with: aligntune plugin export"
    assert DRIFT in known.declared("acme").to_dict()["notes"][0]
    assert not supports("acme", "dpo", backends=known)
    (finding,) = [each for each in standing_findings(known, "cpu") if each.code == "backend-record"]
    assert (finding.subject, finding.message) == ("acme", warning.message)


def test_auto_tells_of_it_too(recorded, job):
    known, _ = recorded({"acme": told("acme", conflicts=("nothing",))})
    assert [problem.code for problem in decide(job(), backends=known).problems] == ["backend-record"]


UNREADABLE = {
    "damaged": ("{", "can't be used: it is no JSON"),
    "of a later format": ('{"format": 2}', "can't be used: it is in format 2, and this core reads format 1"),
    "of another backend": (told("bolt"), "breaks the contract: its plugin calls itself 'bolt'"),
    "about no algorithm": (told("acme", Capability("none")), "breaks the contract: its table has a row for 'none'"),
    "in need of nonsense": (told("acme", requirements=("torch>>2",)), "breaks the contract: 'torch>>2'"),
}


@pytest.mark.parametrize("fault", UNREADABLE)
def test_a_record_that_can_not_be_used_is_told_and_the_plugin_asked(recorded, job, fault):
    record, said = UNREADABLE[fault]
    known, modules = recorded({"acme": record, "bolt": None})
    assert supports("acme", "sft", backends=known)
    assert imported(modules) == ["acme"]
    (note,) = known.declared("acme").notes
    assert said in note.message
    assert [each.code for each in decide(job(backend="acme"), backends=known).problems] == ["backend-record"]
    assert supports("bolt", "sft", backends=known)


def test_a_file_that_is_not_there_is_told_of(plugin):
    point = plugin("acme")
    for place, said in {
        "nowhere_at_all:backend.json": "there is no backend.json in nowhere_at_all",
        "nowhere_at_all": "'nowhere_at_all' names no file of a package",
    }.items():
        file = EntryPoint("acme", place, "aligntune_core.backend_info")
        vars(file).update(dist=point.dist)
        known = Registry(entry_points=[point], environ={}, records=[file])
        (note,) = known.declared("acme").notes
        assert said in note.message


def test_a_record_from_another_distribution_is_not_read(recorded, plugin):
    known, modules = recorded({"acme": None})
    point, (file,) = plugin("acme", distribution="honest"), known._record_points.values()
    vars(file).update(dist=SimpleNamespace(name="evil", version="1"))
    other = Registry(entry_points=[point], environ={}, records=[file])
    assert other.declared("acme").plugin is not None
    assert imported(modules) == []


def test_a_plugin_that_fails_is_broken_once_it_is_asked_for(recorded, job):
    known, _ = recorded({"acme": None, "bolt": None}, before="1 / 0\n")
    assert known.declared("acme").ready
    verdict = decide(job(backend="acme"), backends=known)
    assert [problem.code for problem in verdict.errors] == ["backend-broken"]
    assert known.declared("acme").status is Status.BROKEN


PROGRAM = """
import sys
from aligntune_core.cli.main import main
try:
    main({words!r})
except SystemExit as end:
    code = end.code
slow = {{"pluggy", "pydantic", "pathlib", "importlib.metadata", "aligntune_core.problem"}} & set(sys.modules)
print("IMPORTED", code, [name for name in sys.modules if name.startswith("installed_")], *sorted(slow))
"""


@pytest.fixture
def site(tmp_path):
    """A folder with installed distributions, each with a record, and a way to run the program on it."""
    folder = tmp_path / "site"

    def install(name, *, archive=False):
        package = f"installed_{name}"
        body = "from aligntune_core import BackendInfo, Capability, hookimpl\n" + SAYS.format(name=name)
        body += "@hookimpl\ndef aligntune_create_trainer(job): ...\n"
        files = {
            f"{package}/__init__.py": "",
            f"{package}/plugin.py": body,
            f"{package}/backend.json": json.dumps(told(name)),
            f"{package}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n",
            f"{package}-1.0.dist-info/entry_points.txt": (
                f"[aligntune_core.backends]\n{name} = {package}.plugin\n\n"
                f"[aligntune_core.backend_info]\n{name} = {package}:backend.json\n"
            ),
        }
        if archive:
            with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as made:
                for path, text in files.items():
                    made.writestr(path, text)
            return
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)

    def run(*words, path=(folder,), before=""):
        here = f"import sys\nsys.path[:0] = {[str(each) for each in path]!r}\n{before}"
        only = {"ALIGNTUNE_ONLY_BACKENDS": "acme,bolt"}
        core = str(Path(__file__).parents[2] / "aligntune_core" / "src")
        told = subprocess.run(
            [sys.executable, "-c", here + PROGRAM.format(words=list(words))],
            capture_output=True,
            text=True,
            check=True,
            env={**only, "PYTHONPATH": core, "PATH": ""},
        )
        said, _, rest = told.stdout.rpartition("IMPORTED ")
        return said, rest.strip()

    return SimpleNamespace(install=install, run=run, folder=folder, archive=tmp_path / "bolt.zip")


@pytest.mark.parametrize("words", [["capabilities", "--json"], ["backends", "--json"], ["capabilities"], ["backends"]])
def test_the_program_answers_without_importing_a_plugin(site, words):
    for name in ("acme", "bolt"):
        site.install(name)
    said, modules = site.run(*words)
    assert "acme" in said
    assert "bolt" in said
    assert modules == "0 []", "nor is what calls hooks, or takes long to import"


def test_the_program_imports_one_plugin_to_check_a_job_that_names_it(site):
    for name in ("acme", "bolt"):
        site.install(name)
    words = ["check", "--fast", "backend=acme", "algorithm=sft", "model_name=org/m", "dataset_name=org/d"]
    _, modules = site.run(*words)
    assert modules.startswith("0 ['installed_acme', 'installed_acme.plugin'] ")


def test_a_record_in_a_zip_file_is_read(site):
    site.install("acme")
    site.install("bolt", archive=True)
    said, modules = site.run("capabilities", "--json", path=(site.folder, site.archive))
    assert {row["backend"] for row in json.loads(said)["capabilities"]} == {"acme", "bolt"}
    assert modules == "0 [] importlib.metadata pathlib"


def test_a_record_is_found_where_an_editable_install_leads(site, tmp_path):
    site.install("acme")
    source = tmp_path / "source"
    source.mkdir()
    (site.folder / "installed_acme").rename(source / "installed_acme")
    said, modules = site.run("capabilities", "--json", path=(site.folder, source))
    assert {row["backend"] for row in json.loads(said)["capabilities"]} == {"acme"}
    assert modules == "0 []"


def test_a_record_is_found_by_an_importer_of_somebodys_own(site, tmp_path):
    site.install("acme")
    source = tmp_path / "source"
    source.mkdir()
    (site.folder / "installed_acme").rename(source / "installed_acme")
    finder = f"""
from importlib.machinery import PathFinder
class Finder:
    def find_spec(self, name, path=None, target=None):
        return PathFinder.find_spec(name, [{str(source)!r}]) if name == "installed_acme" else None
sys.meta_path.append(Finder())
"""
    said, modules = site.run("capabilities", "--json", before=finder)
    assert {row["backend"] for row in json.loads(said)["capabilities"]} == {"acme"}
    assert modules == "0 []"
    said, _ = site.run("capabilities", "--json")
    assert json.loads(said)["capabilities"] == [], "without its finder it is nowhere"
