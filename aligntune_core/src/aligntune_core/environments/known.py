"""The environments that there are, read from one small file each."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from aligntune_core.environments.environment import RECORD, Environment, from_values
from aligntune_core.environments.folder import environments_folder
from aligntune_core.errors import SetupError
from aligntune_core.wording import did_you_mean


@dataclass(frozen=True, slots=True)
class Unusable:
    """A folder where an environment should be and none can be used.

    Args:
        name: The environment's name.
        folder: Its folder.
        reason: Why, in a few words.
    """

    name: str
    folder: str
    reason: str


def environments() -> list[Environment]:
    """All environments that can be read, by name; no interpreter is started."""
    return [each for each in every_environment() if isinstance(each, Environment)]


def every_environment() -> list[Environment | Unusable]:
    """All environments by name, and what is left of those whose making was interrupted or whose record is damaged."""
    root = environments_folder()
    try:
        names = sorted(os.listdir(root))
    except OSError:
        return []
    found = (read_environment(os.path.join(root, name)) for name in names if not name.startswith("."))
    return [each for each in found if each is not None]


def read_environment(folder: str) -> Environment | Unusable | None:
    """What is in an environment's folder; None where there is nothing.

    Args:
        folder: The folder; its last part is the environment's name.
    """
    import json

    name = os.path.basename(folder)
    try:
        with open(os.path.join(folder, RECORD), "rb") as file:
            values: Any = json.loads(file.read())
        return from_values(values, folder)
    except FileNotFoundError:
        return Unusable(name, folder, "it was not made to its end") if _has_content(folder) else None
    except NotADirectoryError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        return Unusable(name, folder, f"its record can't be read: {error}")


def environment_named(name: str) -> Environment:
    """One environment.

    Args:
        name: Its name.

    Raises:
        SetupError: If there is none, or its record can't be used.
    """
    found = {each.name: each for each in every_environment()}
    each = found.get(name)
    if each is None:
        fix = did_you_mean(name, found) if found else f"Make one: aligntune env create {name}"
        raise SetupError(f"there is no environment '{name}'.", fix=fix)
    if isinstance(each, Unusable):
        fix = f"Make it anew with `aligntune env create {name}`, or remove it: aligntune env remove {name}"
        raise SetupError(f"the environment '{name}' can't be used: {each.reason}.", fix=fix)
    return each


def environment_of(backend: str, among: list[Environment] | None = None) -> Environment | None:
    """The environment that a backend lives in; None where none has it.

    Of several, the one that is called as the backend is, else the one that was made first.

    Args:
        backend: The backend's name.
        among: The environments to choose from; all that there are if None.
    """
    able = [each for each in (environments() if among is None else among) if backend in each.backends]
    return min(able, key=lambda each: (each.name != backend, each.created, each.name), default=None)


def _has_content(folder: str) -> bool:
    try:
        return bool(os.listdir(folder))
    except OSError:
        return False
