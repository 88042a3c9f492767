"""A type checker that reads a plugin finds a hook that takes or gives something else than the contract asks for."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from aligntune_core import hookspecs, plugin_types

ROOT = Path(__file__).parents[2]
SOURCES = [ROOT / f"{name}/src" for name in ("aligntune_core", "aligntune_trl", "aligntune_unsloth")]
MINIMAL = ROOT / "tests/plugins/minimal/src"

HEAD = """
from __future__ import annotations
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from pydantic import BaseModel
from aligntune_core import *
from aligntune_core import plugin_types as types

@hookimpl
def aligntune_backend_info() -> BackendInfo:
    return BackendInfo("acme", "", 1, ())

@hookimpl
def aligntune_create_trainer(job: Job, emit: Listener) -> Trainer:
    raise NotImplementedError

"""
FOOT = """
if TYPE_CHECKING:
    import {module}
    class Acme(types.BackendPlugin, {protocols}Protocol): ...
    checked: Acme = {module}
"""

WRONG = {
    "an argument misspelt": ("HasCheckJob", "def aligntune_check_job(job: Job, probes: bool) -> list[Problem]: ..."),
    "an argument too many": ("HasDiagnose", "def aligntune_diagnose(job: Job) -> list[Problem]: ..."),
    "an argument of another type": (
        "HasCheckJob",
        "def aligntune_check_job(job: dict[str, Any]) -> list[Problem]: ...",
    ),
    "rows that are never unknown": ("HasPlanJob", "def aligntune_plan_job(job: Job, rows: int) -> Plan: ..."),
    "texts for problems": ("HasCheckJob", "def aligntune_check_job(job: Job) -> list[str]: ..."),
    "one problem": ("HasDiagnose", "def aligntune_diagnose() -> Problem: ..."),
    "a mapping for a plan": ("HasPlanJob", "def aligntune_plan_job(job: Job) -> dict[str, int]: ..."),
    "a model for its class": ("HasSettings", "def aligntune_settings(algorithm: str) -> BaseModel: ..."),
    "settings of a job": ("HasSettings", "def aligntune_settings(job: Job) -> type[BaseModel]: ..."),
    "names for algorithms": ("HasAlgorithms", "def aligntune_algorithms() -> tuple[str, ...]: ..."),
    "a function for an encoding": ("HasEncoding", "def aligntune_encoding(job: Job) -> Iterable[Encoded]: ..."),
    "an observer of its own": ("HasTrainerCreated", "def aligntune_trainer_created(model: object) -> None: ..."),
    "information as a mapping": ("", "def aligntune_backend_info() -> dict[str, str]: ..."),
    "no trainer": ("", "def aligntune_create_trainer(job: Job, emit: Listener) -> None: ..."),
    "a trainer that can not save": (
        "",
        "class Half: ...\ndef aligntune_create_trainer(job: Job, emit: Listener) -> Half: ...",
    ),
    "a hook that is not there": ("HasPlanJob", ""),
}
RIGHT = {
    "only what is needed": ("", ""),
    "fewer arguments": (
        "HasCheckJob, HasPlanJob",
        (
            "def aligntune_check_job() -> list[Problem]: ...\n"
            "def aligntune_plan_job(rows: int | None) -> Plan | None: ..."
        ),
    ),
    "another order": (
        "HasCheckJob, HasEncoding",
        (
            "def aligntune_check_job(probe: bool, job: Job) -> Iterator[Problem]: ...\n"
            "def aligntune_encoding(emit: Listener, job: Job) -> Encoding: ..."
        ),
    ),
    "wider arguments": (
        "HasPlanJob, HasTrainerCreated",
        (
            "def aligntune_plan_job(job: object, rows: object) -> None: ...\n"
            "def aligntune_trainer_created(trainer: Any) -> str: ..."
        ),
    ),
    "every hook": (
        "HasAlgorithms, HasSettings, HasCheckJob, HasPlanJob, HasEncoding, HasDiagnose, HasTrainerCreated",
        (
            "def aligntune_algorithms() -> list[Algorithm]: ...\n"
            "class Settings(BaseModel): ...\n"
            "def aligntune_settings(algorithm: str) -> type[Settings]: ...\n"
            "def aligntune_check_job(job: Job, probe: bool) -> Iterable[Problem]: ...\n"
            "def aligntune_plan_job(job: Job, rows: int | None) -> Plan | None: ...\n"
            "def aligntune_encoding(job: Job, emit: Listener) -> Encoding | None: ...\n"
            "def aligntune_diagnose() -> tuple[Problem, ...]: ...\n"
            "def aligntune_trainer_created(job: Job, trainer: Trainer) -> None: ..."
        ),
    ),
}


def module_of(case):
    return re.sub(r"\W", "_", case)


def written(case, protocols, hooks):
    own = set(re.findall(r"def (aligntune_\w+)", hooks))
    head = HEAD
    for name in own:
        head = re.sub(rf"@hookimpl\ndef {name}\(.*?\n\n", "", head, flags=re.DOTALL)
    hooks = re.sub(r"^def aligntune", "@hookimpl\ndef aligntune", hooks, flags=re.MULTILINE)
    wanted = "".join(f"types.{each.strip()}, " for each in protocols.split(",") if each)
    return (
        head
        + hooks.replace(": ...", ": raise NotImplementedError")
        + FOOT.format(module=module_of(case), protocols=wanted)
    )


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What mypy says of every plugin, by its module: once for all of them."""
    folder = tmp_path_factory.mktemp("typed")
    for case, (protocols, hooks) in {**WRONG, **RIGHT}.items():
        (folder / f"{module_of(case)}.py").write_text(written(case, protocols, hooks))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", "--strict", "--no-error-summary", str(folder)],
        cwd=folder,
        check=False,
        env={**os.environ, "MYPYPATH": os.pathsep.join(map(str, [folder, *SOURCES]))},
        capture_output=True,
        text=True,
    )
    found = {}
    for line in done.stdout.splitlines():
        file, _, rest = line.partition(":")
        assert file.endswith(".py"), done.stdout + done.stderr
        found.setdefault(Path(file).stem, []).append(rest)
    return found


def assertion_line(case):
    lines = written(case, *{**WRONG, **RIGHT}[case]).splitlines()
    return lines.index(f"    checked: Acme = {module_of(case)}") + 1


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_hook_is_found_where_it_is_asserted(said, case):
    lines = said[module_of(case)]
    place = f"{assertion_line(case)}: "
    assert all(line.startswith(place) for line in lines), lines
    (error,) = [line for line in lines if ": error: " in f":{line}" or " error: " in line]
    assert 'variable has type "Acme"' in error
    hook = re.findall(r"def (aligntune_\w+)", WRONG[case][1])
    assert not hook or any(hook[-1] in line for line in lines), lines


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_plugin_is_found_right(said, case):
    assert module_of(case) not in said


@pytest.mark.parametrize("plugin", ["aligntune_trl", "aligntune_unsloth", "aligntune_minimal"])
def test_our_own_plugins_are_right(plugin, tmp_path):
    source = next(folder / plugin / "plugin.py" for folder in [*SOURCES, MINIMAL] if (folder / plugin).is_dir())
    hooks = {node.name: 1 for node in ast.parse(source.read_text()).body if isinstance(node, ast.FunctionDef)}
    names = plugin_types.protocols_of(SimpleNamespace(**hooks))
    (tmp_path / "held.py").write_text(
        f"from typing import Protocol\nfrom {plugin} import plugin\n"
        f"from aligntune_core.plugin_types import {', '.join(names)}\n"
        f"class Held({', '.join(names)}, Protocol): ...\nchecked: Held = plugin\n"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--config-file=",
            "--follow-imports=silent",
            "--ignore-missing-imports",
            "held.py",
        ],
        cwd=tmp_path,
        check=False,
        env={**os.environ, "MYPYPATH": os.pathsep.join(map(str, [*SOURCES, MINIMAL]))},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_every_hook_has_a_protocol_with_its_arguments():
    specified = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("aligntune_")}
    assert set(plugin_types.PROTOCOLS) == set(specified)
    tree = ast.parse(inspect.getsource(plugin_types))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    members = {
        member.name: (name, member)
        for name, node in classes.items()
        for member in node.body
        if isinstance(member, ast.FunctionDef) and member.name.startswith("aligntune_")
    }
    assert {hook: name for hook, (name, _) in members.items()} == plugin_types.PROTOCOLS
    aliases = {
        node.target.id: ast.unparse(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name)
    }
    for hook, (_, member) in members.items():
        text = ast.unparse(member.returns)
        text = aliases.get(text, text)
        taken = [
            {argument.arg for argument in classes[name].body[1].args.kwonlyargs}
            for name in re.findall(r"\bOf\w+", text)
        ]
        arguments = set(inspect.signature(specified[hook]).parameters)
        assert len(taken) == 2 ** len(arguments), hook
        assert {frozenset(each) for each in taken} == {
            frozenset(each for bit, each in enumerate(sorted(arguments)) if number >> bit & 1)
            for number in range(2 ** len(arguments))
        }
