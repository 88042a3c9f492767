"""Filling a new environment: AlignTune's own distributions, the backend's, and all that they need."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from aligntune_core.errors import SetupError
from aligntune_core.provisioning.constraints import shipped, site_packages
from aligntune_core.provisioning.installers import run
from aligntune_core.provisioning.specification import with_tested

if TYPE_CHECKING:
    from collections.abc import Callable

    from aligntune_core.provisioning.specification import Specification

LOG = "log.txt"
_VENV = "venv"


def fill(specification: Specification, place: str, lock: int, say: Callable[[str], object]) -> str:
    """Make the virtual environment and install into it; its interpreter.

    Args:
        specification: What it holds.
        place: The folder of its generation.
        lock: The file descriptor of the lock on it, which the installers inherit.
        say: Called with a sentence for each step.

    Raises:
        SetupError: If that fails.
    """
    installer, settings = specification.installer, specification.settings
    log, folder = os.path.join(place, LOG), os.path.join(place, _VENV)
    python = os.path.join(folder, "bin", "python")
    environ = installer.environ(settings)

    def do(command: list[str], doing: str) -> None:
        try:
            run(command, environ, log, lock, doing)
        except SetupError as error:
            raise SetupError(error.message, fix=f"All that was said is in '{_kept(specification, log)}'.") from error

    def install(words: list[str], doing: str) -> None:
        do(installer.install(python, words, settings, specification.torch.index), doing)

    say(f"Making a virtual environment with {installer}.")
    do(installer.venv(specification.interpreter, folder, system=specification.request.system), "made the environment")
    own = _fetched(specification, place, python, do)
    if specification.locked is not None:
        say(f"Installing the {len(specification.locked)} distributions of the lock.")
        requirements = Path(place, "locked.txt")
        requirements.write_text("\n".join(specification.locked) + "\n", encoding="utf-8")
        install(["--no-deps", "--requirement", str(requirements), *own], "installed what is locked")
        return python
    constraints = specification.constraints
    if specification.unseen:
        say("Fetching the backend's distribution.")
        install(["--no-deps", *own, *specification.requirements], "installed the backend's distribution")
        packages = site_packages(folder)
        constraints = with_tested(specification, shipped(str(packages)) if packages else ())
    say("Installing the backend and all that it needs.")
    file = Path(place, "constraints.txt")
    file.write_text("\n".join(constraints) + "\n", encoding="utf-8")
    install(["--constraint", str(file), *own, *specification.requirements], "installed the backend")
    return python


def _fetched(specification: Specification, place: str, python: str, do: Callable[[list[str], str], None]) -> list[str]:
    """What installers are told of AlignTune's own distributions; those on an index are fetched from that one first."""
    on_index = [each for each in specification.ours if each.index]
    if not on_index:
        return [word for each in specification.ours for word in each.words]
    folder = Path(place, "wheels")
    command = [python, "-m", "pip", "--isolated", "--disable-pip-version-check", "download", "--no-deps"]
    options = ["--index-url", on_index[0].index, "--dest", str(folder)]
    do([*command, *options, *(each.place for each in on_index)], "fetched AlignTune's distributions")
    return [str(each) for each in sorted(folder.iterdir())]


def _kept(specification: Specification, log: str) -> str:
    """The log, where it outlives what could not be made."""
    folder = os.path.join(os.path.dirname(specification.folder), ".logs")
    os.makedirs(folder, exist_ok=True)
    return str(shutil.copy(log, os.path.join(folder, f"{specification.request.name}.txt")))
