"""One environment: the interpreter that backends live in, and what was recorded when it was last looked at."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 1
"""The version of the record's layout; it goes up when an older core would read it wrongly."""

RECORD = "environment.json"
"""The file in an environment's folder that says which of its generations counts, and what is in it."""

WITHIN = "ALIGNTUNE_ENVIRONMENT"
"""The environment variable by which a process knows that it runs in an environment: it sends no job to another one."""

_REQUIRED = {"name": str, "generation": str, "python": str, "made": bool, "created": str, "found": dict}


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment of its own for one or several backends.

    Args:
        name: Its name.
        folder: The folder that belongs to it.
        generation: The folder in that one which counts now; an update makes another one.
        python: The interpreter that runs its backends.
        made: Whether AlignTune made it; one that was adopted is never changed.
        created: When that generation was made or adopted, in UTC (ISO 8601).
        paths: Folders that its interpreter imports from besides its own.
        asked: What it was made from, as ``create`` was given it, so that it can be made again.
        found: What its interpreter said of itself: ``python``, ``core``, ``contract``, ``backends``, ``packages`` and
            ``ours``, where AlignTune's own distributions came from.
    """

    name: str
    folder: str
    generation: str
    python: str
    made: bool
    created: str
    paths: tuple[str, ...] = ()
    asked: Mapping[str, Any] = field(default_factory=dict)
    found: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """The folder of the generation that counts."""
        return os.path.join(self.folder, self.generation)

    @property
    def lock(self) -> str:
        """The file that has every distribution in it with its version, as ``env create --lock`` takes it."""
        return os.path.join(self.place, "lock.txt")

    @property
    def backends(self) -> tuple[str, ...]:
        """The names of the backends that could be used in it when it was last looked at."""
        return tuple(name for name, told in self.found.get("backends", {}).items() if told.get("status") == "ready")

    def environ(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment variables to run its interpreter with.

        Args:
            environ: Those of this process: what says where *this* interpreter imports from is left out.
        """
        kept = {**without_interpreter(environ), WITHIN: self.name}
        return {**kept, "PYTHONPATH": os.pathsep.join(self.paths)} if self.paths else kept

    def to_dict(self) -> dict[str, Any]:
        """The record, as JSON-ready values."""
        return {
            "format": FORMAT,
            "name": self.name,
            "generation": self.generation,
            "python": self.python,
            "made": self.made,
            "created": self.created,
            "paths": list(self.paths),
            "asked": dict(self.asked),
            "found": dict(self.found),
        }


_OF_ONE_INTERPRETER = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")


def without_interpreter(environ: Mapping[str, str]) -> dict[str, str]:
    """Environment variables without those that say where one interpreter imports from.

    Args:
        environ: The variables.
    """
    return {name: value for name, value in environ.items() if name not in _OF_ONE_INTERPRETER}


def from_values(values: Any, folder: str) -> Environment:
    """The environment that a record stands for.

    Args:
        values: What ``to_dict`` gave.
        folder: The environment's folder.

    Raises:
        ValueError: If it is no record, or one in a layout of another version; says why.
    """
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise ValueError(f"it is not a record in format {FORMAT}")
    for name, kind in _REQUIRED.items():
        if not isinstance(values.get(name), kind):
            raise ValueError(f"its '{name}' is not what it should be")
    return Environment(
        values["name"],
        folder,
        values["generation"],
        values["python"],
        values["made"],
        values["created"],
        tuple(map(str, values.get("paths") or ())),
        values.get("asked") or {},
        values["found"],
    )
