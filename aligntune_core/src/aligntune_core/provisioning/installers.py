"""The programs that make virtual environments and install into them: uv where there is one, else venv and pip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from aligntune_core.environments.environment import without_interpreter
from aligntune_core.errors import SetupError
from aligntune_core.provisioning.pip_settings import without_password
from aligntune_core.provisioning.request import INSTALLERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aligntune_core.provisioning.pip_settings import PipSettings

_TAIL = 15


@dataclass(frozen=True, slots=True)
class Installer:
    """A program that installs.

    Args:
        name: ``uv`` or ``pip``.
        program: Where uv is; empty for pip, which is in the environment itself.
    """

    name: str
    program: str = ""

    def __str__(self) -> str:
        return f"uv ({self.program})" if self.program else "venv and pip"

    def venv(self, interpreter: str, folder: str, *, system: bool) -> list[str]:
        """The command that makes a virtual environment.

        Args:
            interpreter: The interpreter that it is for.
            folder: Where it will be.
            system: Whether it sees what is installed beside the interpreter.
        """
        options = ["--system-site-packages"] if system else []
        if self.program:
            return [
                self.program,
                "venv",
                "--quiet",
                "--no-python-downloads",
                "--seed",
                "--python",
                interpreter,
                *options,
                folder,
            ]
        return [interpreter, "-m", "venv", *options, folder]

    def install(self, python: str, words: Sequence[str], settings: PipSettings, index: str = "") -> list[str]:
        """The command that installs.

        Args:
            python: The environment's interpreter.
            words: Requirements and options that both programs have.
            settings: What pip is told to do here.
            index: A further package index.
        """
        if self.program:
            options = [*settings.for_uv(), *(["--index", index] if index else [])]
            return [self.program, "pip", "install", "--python", python, *options, *words]
        options = [*settings.for_pip(), *(["--extra-index-url", index] if index else [])]
        return [python, "-m", "pip", "--disable-pip-version-check", "install", *options, *words]

    def environ(self, settings: PipSettings) -> dict[str, str]:
        """The environment variables that both commands are run with."""
        told = settings.environ_for_uv() if self.program else {}
        return {**without_interpreter(os.environ), **told}


def find_installer(asked: str = "") -> Installer:
    """The program that is there.

    Args:
        asked: ``uv`` or ``pip``; empty for uv where there is one.

    Raises:
        SetupError: If there is no such program.
    """
    if asked and asked not in INSTALLERS:
        raise SetupError(f"there is no installer '{asked}'.", fix=f"Known: {', '.join(INSTALLERS)}.")
    uv = "" if asked == "pip" else _uv()
    if asked == "uv" and not uv:
        raise SetupError("uv is not installed here.", fix="Install it with `pip install uv`, or use --installer pip.")
    return Installer("uv", uv) if uv else Installer("pip")


def run(command: list[str], environ: dict[str, str], log: str, keep: int, doing: str) -> None:
    """Run an installer's command, with what it says in a file.

    Args:
        command: The command.
        environ: Its environment variables.
        log: The file.
        keep: A file descriptor that it inherits: the lock on the environment, which so outlives this process.
        doing: What it does, for the message of its failure.

    Raises:
        SetupError: If it fails, with the end of what it said.
    """
    with open(log, "ab") as file:
        file.write(f"$ {without_password(' '.join(command))}\n".encode())
        file.flush()
        began = file.tell()
        told = subprocess.run(
            command,
            env=environ,
            cwd=os.path.dirname(log),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            pass_fds=[keep],
            check=False,
        )
    if told.returncode:
        with open(log, encoding="utf-8", errors="replace") as file:
            file.seek(began)
            lines = [line.rstrip() for line in file if line.strip()][-_TAIL:]
        program = os.path.basename(command[0])
        raise SetupError(
            f"{program} failed while it {doing} (exit code {told.returncode}):\n" + without_password("\n".join(lines))
        )


def _uv() -> str:
    beside = os.path.join(os.path.dirname(sys.executable), "uv")
    found = shutil.which("uv") or (beside if os.access(beside, os.X_OK) else "")
    if found or not find_spec("uv"):
        return found
    from importlib import import_module

    return str(import_module("uv").find_uv_bin())
