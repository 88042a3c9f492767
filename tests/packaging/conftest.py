"""Wheels, built once, and environments that they are really installed into, made once."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
OURS = {
    "aligntune": ROOT,
    "aligntune-core": ROOT / "aligntune_core",
    "aligntune-trl": ROOT / "aligntune_trl",
    "aligntune-unsloth": ROOT / "aligntune_unsloth",
}
PLUGINS = {
    "aligntune-minimal": ROOT / "tests/plugins/minimal",
    "aligntune-broken": ROOT / "tests/plugins/broken",
    "aligntune-taken": ROOT / "tests/plugins/taken",
    "aligntune-hasty": ROOT / "tests/plugins/hasty",
    "unsloth": ROOT / "tests/plugins/fake_unsloth",
}


@dataclass(frozen=True)
class Wheels:
    """Built wheels: each distribution's own, a folder with this repository's and one with the sample plugins'."""

    files: dict[str, Path]
    ours: Path
    plugins: Path


@dataclass(frozen=True)
class Environment:
    """A virtual environment, with a folder that commands run in."""

    folder: Path
    work: Path

    @property
    def python(self) -> str:
        return str(self.folder / "bin/python")

    @property
    def program(self) -> str:
        return str(self.folder / "bin/aligntune")

    def run(self, *command: str, seconds: float = 300, **environ: str) -> subprocess.CompletedProcess[str]:
        """A command's outcome, with nothing of this process's environment that could leak into it."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "ALIGNTUNE", "PYTEST", "UNSLOTH", "VIRTUAL_ENV"))
        }
        settings = {
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "ALIGNTUNE_CACHE": str(self.work.parent / "cache"),
            "ALIGNTUNE_ENVIRONMENTS": str(self.work.parent / "environments"),
            "COLUMNS": "200",
        }
        return subprocess.run(
            command,
            cwd=self.work,
            env={**kept, **settings, **environ},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def aligntune(
        self, *words: str, code: int = 0, seconds: float = 300, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """What the command line says; its exit code has to be ``code``."""
        told = self.run(self.program, *words, seconds=seconds, **environ)
        assert told.returncode == code, told.stdout + told.stderr
        assert code == 1 or "Traceback" not in told.stderr, told.stderr
        return told

    def json(self, *words: str, code: int = 0) -> Any:
        """The JSON that the command line writes to standard output."""
        return json.loads(self.aligntune(*words, "--json", code=code).stdout)

    def script(self, text: str, **environ: str) -> Any:
        """The JSON that a Python script writes as its last line, run in a fresh interpreter."""
        told = self.run(self.python, "-c", text, **environ)
        assert told.returncode == 0, told.stdout + told.stderr
        return json.loads(told.stdout.strip().splitlines()[-1])

    def installed(self) -> dict[str, str]:
        """The distributions in this environment's own folder, with their versions."""
        told = pip(self, "list", "--format=json", "--path", str(self.packages))
        return {each["name"]: each["version"] for each in json.loads(told.stdout)}

    @property
    def packages(self) -> Path:
        return next(self.folder.glob("lib/python3.*/site-packages"))


def pip(environment: Environment, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run pip on an environment; nothing but what ``words`` name is where it looks when they say --no-index."""
    own = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""} if "--no-index" in words else {}
    told = environment.run(environment.python, "-m", "pip", "--disable-pip-version-check", *words, **own)
    assert told.returncode == code, told.stdout + told.stderr
    return told


def install(environment: Environment, *words: str) -> set[str]:
    """Install from nowhere but the folders that ``words`` name with --find-links; the names of what was installed."""
    report = environment.work / "pip-report.json"
    pip(environment, "install", "--no-index", "--report", str(report), *words)
    return {each["metadata"]["name"] for each in json.loads(report.read_text())["install"]}


def make_environment(folder: Path, python: str, *options: str) -> Environment:
    """A fresh environment."""
    work = folder.with_name(f"{folder.name}-work")
    work.mkdir()
    subprocess.run([python, "-m", "venv", *options, str(folder)], check=True, capture_output=True)
    return Environment(folder, work)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    """The wheels of this repository's distributions and of the sample plugins."""
    files = {}
    folders = []
    for sources in (OURS, PLUGINS):
        folder = tmp_path_factory.mktemp("wheels")
        folders.append(folder)
        for name, source in sources.items():
            before = set(folder.glob("*.whl"))
            command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
            told = subprocess.run(command, capture_output=True, text=True, check=False)
            assert told.returncode == 0, f"{name}: {told.stdout}{told.stderr}"
            (files[name],) = set(folder.glob("*.whl")) - before
    return Wheels(files, *folders)


@pytest.fixture(scope="session", name="pip")
def pip_fixture() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs pip on an environment."""
    return pip


@pytest.fixture(scope="session")
def core_only_with(wheels: Wheels, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Environment]:
    """Makes a fresh environment with aligntune-core, its dependencies from the package index, and nothing else."""

    def make(python: str) -> Environment:
        made = make_environment(tmp_path_factory.mktemp("core") / "environment", python)
        constraints = str(ROOT / "constraints.txt")
        # by its file, so that it is known where it came from
        pip(made, "install", "--constraint", constraints, str(wheels.files["aligntune-core"]))
        return made

    return make


@pytest.fixture(scope="session")
def core_only(core_only_with: Callable[[str], Environment]) -> Environment:
    """The environment with aligntune-core alone, for this Python."""
    return core_only_with(sys.executable)


@pytest.fixture(scope="session")
def third_party(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of links to what this interpreter has installed, without anything of AlignTune or Unsloth."""
    folder = tmp_path_factory.mktemp("third-party")
    left_out = ("aligntune", "_aligntune", "__editable__", "unsloth")
    for packages in site.getsitepackages():
        for entry in Path(packages).iterdir():
            if not entry.name.lower().startswith(left_out) and entry.suffix != ".pth":
                (folder / entry.name).symlink_to(entry)
    return folder


def with_engines(folder: Path, third_party: Path) -> Environment:
    """A fresh environment that has torch, trl, pip and their like from this interpreter, and nothing of AlignTune."""
    made = make_environment(folder, sys.executable, "--without-pip")
    (made.packages / "third_party.pth").write_text(f"{third_party}\n")
    return made


@pytest.fixture(scope="session")
def full(wheels: Wheels, third_party: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the TRL backend and a third party's backend."""
    made = with_engines(tmp_path_factory.mktemp("full") / "environment", third_party)
    install(made, "--find-links", str(wheels.ours), "aligntune[trl]")
    install(made, "--find-links", str(wheels.plugins), "aligntune-minimal")
    return made


@pytest.fixture(scope="session")
def crowded(wheels: Wheels, third_party: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The same with plugins that break the contract beside them."""
    made = with_engines(tmp_path_factory.mktemp("crowded") / "environment", third_party)
    plugins = [name for name in PLUGINS if name != "unsloth"]
    install(made, "--find-links", str(wheels.ours), "--find-links", str(wheels.plugins), "aligntune[trl]", *plugins)
    return made


@pytest.fixture(scope="session")
def with_unsloth(wheels: Wheels, third_party: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with both backends of this repository, and Unsloth's stand-in."""
    made = with_engines(tmp_path_factory.mktemp("unsloth") / "environment", third_party)
    install(made, "--find-links", str(wheels.ours), "--find-links", str(wheels.plugins), "aligntune[all]")
    return made
