"""Adopting an interpreter that exists, and removing an environment."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from aligntune_core.environments.environment import RECORD, Environment
from aligntune_core.environments.folder import checked_name, environments_folder
from aligntune_core.environments.holding import making, unused
from aligntune_core.environments.known import read_environment
from aligntune_core.errors import SetupError
from aligntune_core.provisioning.make import adopt, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def add(
    name: str, python: str, paths: Iterable[str] = (), say: Callable[[str], object] = lambda _: None
) -> Environment:
    """Adopt an interpreter that exists: what is in it is looked at and recorded, and never changed.

    Args:
        name: The name that the environment gets.
        python: The interpreter.
        paths: Folders that it is to import from besides its own.
        say: Called with a sentence for each step.

    Raises:
        SetupError: If there is an environment of that name, or the interpreter has no backend that can be used.
    """
    folder = os.path.join(environments_folder(), checked_name(name))
    found = shutil.which(os.path.expanduser(python))
    if not found:
        raise SetupError(f"there is no interpreter '{python}'.", fix="Name the path of one.")
    folders = tuple(os.path.abspath(os.path.expanduser(each)) for each in paths)
    for each in folders:
        if not os.path.isdir(each):
            raise SetupError(
                f"there is no folder '{each}'.", fix="--path names folders that modules are imported from."
            )
    with making(name, lambda: say("Another process is making it; waiting.")):
        if isinstance(read_environment(folder), Environment):
            raise SetupError(
                f"there is an environment '{name}' already.",
                fix=f"Look at it again with `aligntune env update {name}`, or choose another name.",
            )
        sweep(folder)
        # a virtual environment's interpreter is a link, and is one of that environment by its own path alone
        return adopt(Environment(name, folder, "", os.path.abspath(found), False, "", folders), say)


def remove(name: str) -> None:
    """Remove an environment, or what is left of one; of one that was adopted, only what was recorded of it.

    Args:
        name: Its name.

    Raises:
        SetupError: If there is none, or a process uses it.
    """
    folder = Path(environments_folder(), checked_name(name))
    with making(name), ExitStack() as held:
        if read_environment(str(folder)) is None:
            raise SetupError(f"there is no environment '{name}'.", fix="`aligntune env list` has their names.")
        for each in folder.glob("*/"):
            if not held.enter_context(unused(str(each))):
                raise SetupError(f"the environment '{name}' is in use.", fix="Wait until what runs in it has ended.")
        # from here on nobody finds it, whatever becomes of the rest
        (folder / RECORD).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            raise SetupError(f"'{folder}' can't be removed whole.", fix="Remove what is left of it yourself.")
