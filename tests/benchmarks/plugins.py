"""What queries cost with few plugins and with many, against a bare interpreter of the same environment.

Run it with ``python tests/benchmarks/plugins.py [--rounds 15] [--counts 1 50 200]``. It makes environments that hold
aligntune-core, the packages that it needs and so many backends, each a distribution with one module, with what it says
recorded as a file and without. In turn it runs ``python -c pass`` and the commands in each of them, and takes the least
processor seconds of all rounds: what other programs on the machine take is no part of those, and the least is what they
disturb least. It exits with 1 where a command takes more times a bare interpreter than it may.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[2]
CORE = ROOT / "aligntune_core" / "src"
PLUGIN = '''"""A backend that trains nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core import BackendInfo, Capability, Feature, hookimpl

if TYPE_CHECKING:
    from aligntune_core import Job, Problem, Trainer

_FEATURES = frozenset({{Feature.FULL, Feature.LORA, Feature.EVALUATION, Feature.RESUME, Feature.CPU, Feature.CUDA}})


@hookimpl
def aligntune_backend_info() -> BackendInfo:
    return BackendInfo(
        name="{name}",
        summary="A backend that trains nothing, number {number}",
        contract=1,
        capabilities=(
            Capability("sft", features=_FEATURES | {{Feature.PACKING}}),
            Capability("dpo", features=_FEATURES),
            Capability("grpo", "experimental", _FEATURES, "it was tried on small models only"),
            Capability("ppo", "unsupported", note="it has no critic"),
        ),
        requirements=("pydantic>=2", "pluggy>=1.7"),
        job_keys=frozenset({{"learning_rate", "batch_size", "num_epochs", "max_steps", "seed"}}),
    )


@hookimpl
def aligntune_check_job(job: Job) -> list[Problem]:
    return []


@hookimpl
def aligntune_create_trainer(job: Job) -> Trainer:
    raise NotImplementedError
'''
CAPABILITIES = ("capabilities", "--json")
FAST_CHECK = ("check", "--fast", "backend=plugin_000", "algorithm=sft", "model_name=org/m", "dataset_name=org/d")
MOST = {
    ("capabilities", True, 1): 6.0,
    ("capabilities", True, 50): 7.0,
    ("capabilities", True, 200): 9.0,
    ("capabilities", False, 1): 6.0,
    ("capabilities", False, 50): 8.0,
    ("capabilities", False, 200): 12.0,
    ("check", True, 1): 20.0,
}
"""How many times a bare interpreter a command may take: with or without records, on so many plugins."""


@dataclass(frozen=True)
class Environment:
    """An environment with backends.

    Args:
        folder: Where it is.
        count: How many backends it has.
        recorded: Whether what they say is recorded.
    """

    folder: Path
    count: int
    recorded: bool

    @property
    def packages(self) -> Path:
        return next((self.folder / "lib").glob("python*/site-packages"))

    def words(self, *command: str) -> list[str]:
        """The words that run the program."""
        return [str(self.folder / "bin" / "python"), str(self.folder / "bin" / "aligntune"), *command]

    def bare(self) -> list[str]:
        """The words that run an interpreter and nothing else."""
        return [str(self.folder / "bin" / "python"), "-c", "pass"]


def needed(name: str, seen: set[str] | None = None) -> Iterator[importlib.metadata.Distribution]:
    """The installed distributions that one needs."""
    seen = set() if seen is None else seen
    for text in importlib.metadata.requires(name) or ():
        requirement = Requirement(text)
        if requirement.name.lower() in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(requirement.name.lower())
        yield importlib.metadata.distribution(requirement.name)
        yield from needed(requirement.name, seen)


def make(folder: Path, count: int, *, recorded: bool) -> Environment:
    """An environment with aligntune-core, what it needs, and so many backends."""
    venv.create(folder, with_pip=False, symlinks=True)
    made = Environment(folder, count, recorded)
    for distribution in needed("aligntune-core"):
        for file in {Path(each).parts[0] for each in distribution.files or ()} - {"..", "__pycache__"}:
            link, there = made.packages / file, Path(str(distribution.locate_file(file)))
            if there.exists() and not link.exists():
                link.symlink_to(there)
    for package in ("aligntune", "aligntune_core"):
        (made.packages / package).symlink_to(CORE / package)
    script = "import sys\nfrom aligntune_core.cli.main import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
    (folder / "bin" / "aligntune").write_text(script, encoding="utf-8")
    for number in range(count):
        add_plugin(made, number)
    if recorded:
        record(made)
    return made


def add_plugin(made: Environment, number: int) -> None:
    """Install a backend as an installer does: its module in a package, and the record of its distribution."""
    name = f"plugin_{number:03}"
    package, about = made.packages / name, made.packages / f"{name}-1.0.dist-info"
    package.mkdir()
    about.mkdir()
    (package / "__init__.py").write_text(PLUGIN.format(name=name, number=number), encoding="utf-8")
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    points = f"[aligntune_core.backends]\n{name} = {name}\n"
    if made.recorded:
        points += f"\n[aligntune_core.backend_info]\n{name} = {name}:backend.json\n"
    (about / "entry_points.txt").write_text(points, encoding="utf-8")


def record(made: Environment) -> None:
    """Write what each plugin says beside it."""
    first = made.packages / "plugin_000" / "backend.json"
    subprocess.run(made.words("plugin", "export", "plugin_000", "-o", str(first)), check=True)
    text = first.read_text(encoding="utf-8")
    for number in range(1, made.count):
        mine = text.replace("plugin_000", f"plugin_{number:03}").replace("number 0", f"number {number}")
        (made.packages / f"plugin_{number:03}" / "backend.json").write_text(mine, encoding="utf-8")


def processor_seconds(words: list[str]) -> float:
    """What one process takes of the processor."""
    child = os.posix_spawn(
        words[0], words, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    _, status, usage = os.wait4(child, 0)
    if status:
        raise RuntimeError(f"{words} failed")
    return usage.ru_utime + usage.ru_stime


def measured(environments: Iterable[Environment], rounds: int) -> dict[tuple[str, bool, int], tuple[float, float]]:
    """The least processor seconds of each command in each environment, and those of a bare interpreter there."""
    commands: dict[tuple[str, bool, int], list[str]] = {}
    for made in environments:
        key = made.recorded, made.count
        commands["bare", *key] = made.bare()
        commands["capabilities", *key] = made.words(*CAPABILITIES)
        if ("check", *key) in MOST:
            commands["check", *key] = made.words(*FAST_CHECK)
    for words in commands.values():
        processor_seconds(words)  # an installed program has its bytecode written
    least = dict.fromkeys(commands, float("inf"))
    for _ in range(rounds):
        for key, words in commands.items():
            least[key] = min(least[key], processor_seconds(words))
    return {
        (name, recorded, count): (seconds, least["bare", recorded, count])
        for (name, recorded, count), seconds in least.items()
        if name != "bare"
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 50, 200])
    parser.add_argument("--keep", type=Path, help="make the environments in this folder and leave them there")
    options = parser.parse_args()
    for name in [name for name in os.environ if name.startswith(("PYTHON", "ALIGNTUNE"))]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        environments = [
            make(folder / f"{'with' if recorded else 'without'}-{count}", count, recorded=recorded)
            for count in options.counts
            for recorded in (True, False)
        ]
        told = json.loads(subprocess.run(environments[0].words(*CAPABILITIES), capture_output=True, check=True).stdout)
        if told["backends"]["plugin_000"]["status"] != "ready":
            sys.exit(f"the backends can't be used: {told['backends']['plugin_000']['reason']}")
        figures = measured(environments, options.rounds)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; the least of {options.rounds} rounds\n")
    print("| command | recorded | plugins | processor ms | bare interpreter ms | times | at most |")
    print("|---|---|---|---|---|---|---|")
    failed = False
    for (name, recorded, count), (seconds, bare) in figures.items():
        most = MOST.get((name, recorded, count))
        failed = failed or bool(most and seconds / bare > most)
        cells = [f"`aligntune {' '.join(CAPABILITIES if name == 'capabilities' else ('check', '--fast'))}`"]
        cells += ["yes" if recorded else "no", str(count), f"{seconds * 1e3:.1f}", f"{bare * 1e3:.1f}"]
        print(f"| {' | '.join([*cells, f'{seconds / bare:.2f}', str(most or '')])} |")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
