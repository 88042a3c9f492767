"""The distributions installed here: their versions, entry points and files, read from where installers put them.

``importlib.metadata`` gives the same and takes longer to import than a whole query may take, and so does ``pathlib``;
the former is asked only where there is a place on ``sys.path`` that is not a folder. What is read is the standard
record of installed projects: a folder ``NAME-VERSION.dist-info`` with a file ``entry_points.txt``.
"""

from __future__ import annotations

import os
import re
import sys
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


# no dataclasses: each takes longer to make than a hundred distributions to read


class Distribution(NamedTuple):
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


class FoundEntryPoint(NamedTuple):
    """An entry point, read from where its distribution is installed."""

    name: str
    value: str
    dist: Distribution

    def load(self) -> Any:
        module, _, attributes = self.value.partition(":")
        found: Any = import_module(module.strip())
        for attribute in filter(None, attributes.strip().split(".")):
            found = getattr(found, attribute)
        return found


@lru_cache(maxsize=4096)
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


def installed_folder(name: str) -> str:
    """The folder with the metadata of an installed distribution; empty if it isn't installed, or in no folder.

    Args:
        name: Its name, in any spelling.
    """
    if _beyond_folders(tuple(sys.path)):
        from importlib.metadata import PackageNotFoundError, distribution

        try:
            return str(getattr(distribution(name), "_path", ""))
        except PackageNotFoundError:
            return ""
    found = _distributions(tuple(sys.path)).get(normalised(name))
    return found.folder if found else ""


def installed_entry_points(group: str) -> list[EntryPoint]:
    """The entry points of a group in every installed distribution; nothing is imported.

    Args:
        group: The group's name.
    """
    if _beyond_folders(tuple(sys.path)):
        from importlib.metadata import entry_points

        return list(entry_points(group=group))
    return [
        FoundEntryPoint(name, value, distribution)
        for distribution, text in _entry_point_texts(tuple(sys.path))
        if group in text
        for name, value in _section(text.splitlines(), group)
    ]


def package_file(package: str, name: str) -> bytes | None:
    """What a file beside a package's modules holds; None where there is none. The package is not imported.

    Args:
        package: The package's name, dotted where it is inside another.
        name: The file's name.

    Raises:
        OSError: If it is there and can't be read.
    """
    parts = (*package.split("."), name)
    for place in sys.path:
        path = os.path.join(place, *parts)
        if os.access(path, os.F_OK):
            return _read(path)
    # an editable install may have an importer of its own in place of a folder on the path, and a zip file has one too
    return _through_importer(parts)


def _through_importer(parts: tuple[str, ...]) -> bytes | None:
    from importlib.util import find_spec

    first, *rest = parts
    try:
        spec = find_spec(first)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.loader is None:
        return None
    for folder in spec.submodule_search_locations or ():
        try:
            return bytes(spec.loader.get_data(os.path.join(folder, *rest)))  # type: ignore[attr-defined]
        except (OSError, AttributeError):
            continue
    return None


@lru_cache(maxsize=8)
def _distributions(places: tuple[str, ...]) -> dict[str, Distribution]:
    if _beyond_folders(places):
        from importlib.metadata import distributions

        return {normalised(each.name): Distribution(normalised(each.name), each.version) for each in distributions()}
    found: dict[str, Distribution] = {}
    for place in places:
        try:
            names = sorted(os.listdir(place or "."))
        except OSError:
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")) and "-" in name[:-10]:
                project, version = name[:-10].split("-")[:2]
                # the first on the path is the one that is imported
                each = Distribution(normalised(project), version, os.path.join(place, name))
                found.setdefault(each.name, each)
    return found


@lru_cache(maxsize=8)
def _entry_point_texts(places: tuple[str, ...]) -> list[tuple[Distribution, str]]:
    found = []
    for distribution in _distributions(places).values():
        try:
            text = _read(os.path.join(distribution.folder, "entry_points.txt"))
        except OSError:
            continue
        found.append((distribution, text.decode(errors="replace")))
    return found


@lru_cache(maxsize=8)
def _beyond_folders(places: tuple[str, ...]) -> bool:
    """Whether packages may be found elsewhere than in folders: in zip files, or by an importer of somebody's own."""
    return any(os.path.isfile(place) for place in places)


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()


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
