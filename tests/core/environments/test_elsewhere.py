"""Queries answer for backends in other environments from what was recorded of them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from aligntune_core import BackendInfo, Capability
from aligntune_core.backends.backend import Status
from aligntune_core.backends.other_environments import backends_elsewhere
from aligntune_core.backends.queries import capabilities, find_backends, supports
from aligntune_core.backends.recorded import Recorded, to_values
from aligntune_core.backends.registry import Registry
from aligntune_core.check.ask import check_job
from aligntune_core.doctor.backends import standing_findings
from aligntune_core.doctor.look import doctor
from aligntune_core.environments.environment import RECORD, WITHIN, Environment
from aligntune_core.environments.known import environment_of, environments

EVERYTHING = frozenset({"full", "lora", "cpu", "cuda"})


@pytest.fixture
def recorded(folder):
    """Record an environment with backends in it, without making one."""

    def make(name, *backends, created="2026-01-01T00:00:00Z", status="ready", features=EVERYTHING, **changes):
        place = folder / name / "20260101-000000-000000"
        place.mkdir(parents=True)
        told = {}
        for backend in backends or (name,):
            rows = (Capability("sft", features=features),)
            info = BackendInfo(backend, "A backend", 1, rows, ("torch>=2", "engine>=1,<2"), job_keys=frozenset())
            told[backend] = {
                "status": status,
                "version": "3.1",
                "reason": "",
                "origin": f"{backend}-dist 3.1",
                "recorded": to_values(Recorded(info)),
            }
        found = {"python": "3.12.1", "core": "1.0.0", "backends": told, "packages": {"torch": "2.0", "engine": "1.5"}}
        made = Environment(name, str(folder / name), place.name, "/nowhere/python", True, created, found=found)
        values = {**made.to_dict(), **changes}
        (folder / name / RECORD).write_text(json.dumps(values))
        return made

    return make


def known(*points, **environ):
    return Registry(points, environ, elsewhere=backends_elsewhere(environ))


def test_a_backend_of_another_environment_answers_from_its_record(recorded):
    made = recorded("acme")
    here = known()
    backend = here.get("acme")
    assert (backend.status, backend.version, backend.plugin) == (Status.READY, "3.1", None)
    assert backend.environment == made
    assert here.declared("acme") == backend
    assert backend.to_dict()["environment"] == "acme"
    standing = {each.question: each for each in backend.standing}
    assert all(each.yes for each in standing.values())
    assert standing["installed"].reason == "acme-dist 3.1, in the environment 'acme'"
    assert standing["engine"].reason == "torch 2.0, engine 1.5"
    assert [row.backend for row in capabilities(algorithm="sft", backends=here)] == ["acme"]
    assert supports("acme", "sft", "lora", usable=True, backends=here)
    assert not supports("acme", "dpo", backends=here)
    assert [found.name for found in find_backends("sft", usable=True, backends=here)] == ["acme"]


def test_one_that_can_be_used_here_is_used_here(recorded, plugin):
    recorded("acme")
    assert known(plugin("acme")).get("acme").environment is None
    lacking = known(plugin("acme", info="requirements=('no-such-engine>=1',)"))
    assert lacking.get("acme").environment.name == "acme"
    assert lacking.declared("acme").environment.name == "acme"
    assert known(plugin("acme", before="1 / 0")).get("acme").environment.name == "acme"


def test_a_setting_that_switches_it_off_holds_there_too(recorded):
    recorded("acme")
    found = known(ALIGNTUNE_DISABLED_BACKENDS="acme").get("acme")
    assert (found.status, found.environment) == (Status.DISABLED, None)
    assert known(ALIGNTUNE_ONLY_BACKENDS="trl").get("acme").status is Status.DISABLED


def test_of_several_environments_one_is_used(recorded):
    recorded("second", "acme", created="2026-02-01T00:00:00Z")
    recorded("first", "acme", created="2026-01-01T00:00:00Z")
    assert environment_of("acme").name == "first"
    recorded("acme", created="2026-03-01T00:00:00Z")
    assert environment_of("acme").name == "acme"
    assert known().get("acme").environment.name == "acme"


def test_in_a_process_of_an_environment_nothing_is_elsewhere(recorded):
    made = recorded("acme")
    assert made.environ({"PYTHONPATH": "x", "A": "b"}) == {"A": "b", WITHIN: "acme"}
    assert replace(made, paths=("/a", "/b")).environ({})["PYTHONPATH"] == "/a:/b"
    assert backends_elsewhere({WITHIN: "acme"}) == {}


def test_what_can_not_be_used_there_is_not_used(recorded):
    recorded("acme", status="missing")
    assert "acme" not in known().names()


def test_a_record_that_this_core_can_not_read_is_told(recorded, folder):
    recorded("acme")
    file = folder / "acme" / RECORD
    values = json.loads(file.read_text())
    values["found"]["backends"]["acme"]["recorded"]["info"]["contract"] = 99
    file.write_text(json.dumps(values))
    found = known().get("acme")
    assert found.status is Status.BROKEN
    assert "in the environment 'acme' can't be used: its plugin needs version 99 of the contract" in found.reason
    values["found"]["backends"]["acme"]["recorded"]["format"] = 7
    file.write_text(json.dumps(values))
    assert "it is in format 7" in known().get("acme").reason


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 2}', '{"format": 1, "name": 3}', "\x00"])
def test_a_damaged_record_harms_nobody_else(recorded, folder, text):
    recorded("acme")
    recorded("bad")
    (folder / "bad" / RECORD).write_text(text)
    assert [each.name for each in environments()] == ["acme"]
    assert known().names() == ["trl", "unsloth", "acme"]


def test_a_fast_check_answers_from_the_record(recorded, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model/config.json").write_text("{}")
    recorded("acme")
    job = {
        "algorithm": "sft",
        "model_name": "model",
        "dataset_name": [{"prompt": "2+2?", "completion": "4"}],
        "output_dir": "out",
    }
    verdict = check_job({**job, "backend": "acme"}, level="fast", backends=known())
    assert (verdict.ok, verdict.backend) == (True, "acme")
    refused = check_job({**job, "backend": "acme", "packing": True}, level="fast", backends=known())
    assert "unsupported-feature" in [each.code for each in refused.errors]
    undeclared = check_job({**job, "backend": "acme", "weight_decay": 0.1}, level="fast", backends=known())
    assert "unsupported-key" in [each.code for each in undeclared.errors]
    assert check_job(job, level="fast", backends=known()).backend == "acme"


def test_a_query_starts_no_interpreter_and_reads_one_file_for_each(recorded):
    for number in range(10):
        recorded(f"acme{number}")
    code = """
import sys
opened = []
sys.addaudithook(lambda event, arguments: opened.append((event, str(arguments[0]))))
from aligntune_core.cli.main import main
try:
    main(["capabilities", "--json"])
except SystemExit:
    pass
started = [each for each in opened if each[0] in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork")]
read = [path for event, path in opened if event == "open" and path.endswith("environment.json")]
print(len(started), len(read), "typer" in sys.modules, "importlib.metadata" in sys.modules, file=sys.stderr)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr.split() == ["0", "10", "False", "False"]
    rows = json.loads(run.stdout)["capabilities"]
    assert {f"acme{number}" for number in range(10)} <= {row["backend"] for row in rows}


def test_doctor_tells_of_it_and_looks_for_none_of_its_packages_here(recorded):
    recorded("mine", "acme")
    found = list(standing_findings(known(), "cpu"))
    (ready,) = [each for each in found if each.code == "backend-ready"]
    assert ready.message == "acme 3.1: torch 2.0 (>=2), engine 1.5 (>=1,<2); in the environment 'mine'"
    assert ready.facts["environment"] == "mine"
    assert {each.code for each in found} == {"backend-ready", "backend-absent"}
    report = doctor(network=False, backends=known())
    assert report.able == ("acme",)
    assert "engine" not in " ".join(each.message for each in report.findings if each.code.startswith("package"))


def test_lists_say_where_each_lives(recorded, capsys, monkeypatch):
    from aligntune_core.backends import registry as module
    from aligntune_core.cli.screens import backends, matrix

    recorded("mine", "acme")
    monkeypatch.setattr(module, "registry", known)
    monkeypatch.setattr(backends, "registry", known)
    monkeypatch.setattr(matrix, "registry", known)
    backends.show()
    assert "acme-dist 3.1, in the environment 'mine'" in capsys.readouterr().out
    matrix.show(algorithm="sft")
    assert "it lives in the environment 'mine'" in capsys.readouterr().out
    backends.show(json=True)
    assert json.loads(capsys.readouterr().out)["acme"]["environment"] == "mine"
