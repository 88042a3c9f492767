"""The distributions installed here: their versions and entry points, read from the folders that installers write.

``importlib.metadata`` gives the same and takes longer to import than a whole query may take, so it is asked only where
there is a place on ``sys.path`` that is not a folder. What is read is the standard record of installed projects: a
folder ``NAME-VERSION.dist-info`` with a file ``entry_points.txt``.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Distribution:
    """An installed distribution.

    Args:
        name: Its name, normalised.
        version: Its version.
        folder: Where its metadata is.
    """

    name: str
    version: str
    folder: str = ""


class EntryPoint(Protocol):
    """A module that a distribution names for others, as ``importlib.metadata`` has it too."""

    @property
    def name(self) -> str:
        """Its name in its group."""

    @property
    def value(self) -> str:
        """The module, or ``module:attribute``."""

    @property
    def dist(self) -> Any:
        """Its distribution, with ``name`` and ``version``."""

    def load(self) -> Any:
        """Import what it names."""


@dataclass(frozen=True, slots=True)
class _FoundEntryPoint:
    name: str
    value: str
    dist: Distribution

    def load(self) -> Any:
        module, _, attributes = self.value.partition(":")
        found: Any = import_module(module.strip())
        for attribute in filter(None, attributes.strip().split(".")):
            found = getattr(found, attribute)
        return found


def normalised(name: str) -> str:
    """A distribution's name as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed_version(name: str) -> str | None:
    """The version of an installed distribution; None if it isn't installed.

    Args:
        name: Its name, in any spelling.
    """
    found = _distributions(tuple(sys.path)).get(normalised(name))
    return found.version if found else None


def installed_entry_points(group: str) -> list[EntryPoint]:
    """The entry points of a group in every installed distribution; nothing is imported.

    Args:
        group: The group's name.
    """
    if _beyond_folders():
        from importlib.metadata import entry_points

        return list(entry_points(group=group))
    found: list[EntryPoint] = []
    for distribution in _distributions(tuple(sys.path)).values():
        try:
            text = Path(distribution.folder, "entry_points.txt").read_text(encoding="utf-8")
        except OSError:
            continue
        found += [_FoundEntryPoint(name, value, distribution) for name, value in _section(text.splitlines(), group)]
    return found


@lru_cache(maxsize=8)
def _distributions(places: tuple[str, ...]) -> dict[str, Distribution]:
    if _beyond_folders():
        from importlib.metadata import distributions

        return {normalised(each.name): Distribution(normalised(each.name), each.version) for each in distributions()}
    found: dict[str, Distribution] = {}
    for place in places:
        try:
            folders = sorted(Path(place).iterdir())
        except OSError:
            continue
        for folder in folders:
            if folder.suffix in {".dist-info", ".egg-info"} and "-" in folder.stem:
                project, version = folder.stem.split("-")[:2]
                # the first on the path is the one that is imported
                each = Distribution(normalised(project), version, str(folder))
                found.setdefault(each.name, each)
    return found


def _beyond_folders() -> bool:
    """Whether packages may be found elsewhere than in folders: in zip files, or by an importer of somebody's own."""
    return any(Path(place).is_file() for place in sys.path)


def _section(lines: Iterable[str], group: str) -> list[tuple[str, str]]:
    inside, found = False, []
    for line in lines:
        text = line.strip()
        if text.startswith("["):
            inside = text == f"[{group}]"
        elif inside and "=" in text and not text.startswith(("#", ";")):
            name, _, value = text.partition("=")
            found.append((name.strip(), value.partition("[")[0].strip()))
    return found
