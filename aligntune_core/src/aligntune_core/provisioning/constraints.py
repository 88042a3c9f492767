"""The constraints file that a backend's distribution ships: the versions that it was tested with."""

from __future__ import annotations

import configparser
import os
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from aligntune_core.backends.installed import normalised
from aligntune_core.backends.recorded import RecordError, from_text
from aligntune_core.groups import RECORD_GROUP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TORCH_BOUND = ("torch", "torchvision", "torchaudio", "triton", "xformers", "torchao")
"""Distributions whose versions are bound to that of torch."""


def shipped(place: str) -> tuple[str, ...]:
    """The lines of the constraints file in a distribution; none where it ships none, or can't be looked into.

    Args:
        place: A wheel, a folder with a distribution's sources, or a folder that distributions are installed in.
    """
    path = Path(place)
    if path.suffix == ".whl" and path.is_file():
        with zipfile.ZipFile(path) as wheel:
            names = wheel.namelist()
            entry_points = next((name for name in names if name.endswith(".dist-info/entry_points.txt")), "")
            text = wheel.read(entry_points).decode() if entry_points else ""
            return _lines(text, lambda name: wheel.read(name) if name in names else None)
    if (path / "pyproject.toml").is_file():
        roots = [path / "src", path]
        return _lines(_entry_points(path / "pyproject.toml"), lambda name: _first(roots, name))
    found: list[str] = []
    for file in path.glob("*.dist-info/entry_points.txt"):
        found += _lines(file.read_text(encoding="utf-8"), lambda name: _first([path], name))
    return tuple(found)


def named(line: str) -> str:
    """The distribution that a line of requirements or constraints is about, normalised; empty where that is none."""
    found = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", line)
    return normalised(found[1]) if found else ""


def without(lines: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    """The lines that are about none of the named distributions."""
    left_out = set(names)
    return tuple(line for line in lines if named(line) not in left_out)


def _lines(entry_points: str, read: Callable[[str], bytes | None]) -> tuple[str, ...]:
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(entry_points)
    places = parser[RECORD_GROUP].values() if RECORD_GROUP in parser else ()
    found: list[str] = []
    for place in places:
        package, _, name = (part.strip() for part in place.partition(":"))
        folder = package.replace(".", "/")
        record = read(f"{folder}/{name}")
        try:
            constraints = from_text(record).info.constraints if record else ""
        except RecordError:
            continue
        text = (read(f"{folder}/{constraints}") or b"").decode() if constraints else ""
        found += [
            line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "-"))
        ]
    return tuple(found)


def _entry_points(pyproject: Path) -> str:
    """The entry points of a distribution's sources, as its ``entry_points.txt`` will have them."""
    import tomllib

    try:
        told = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("project", {}).get("entry-points", {})
    except (tomllib.TOMLDecodeError, OSError):
        return ""
    return "\n".join(
        line
        for group, points in told.items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))
    )


def _first(roots: list[Path], name: str) -> bytes | None:
    return next((file.read_bytes() for root in roots if (file := root / name).is_file()), None)


def site_packages(environment: str) -> Path | None:
    """The folder that a virtual environment's distributions are installed in.

    Args:
        environment: The environment's folder.
    """
    pattern = "Lib/site-packages" if os.name == "nt" else "lib/python3*/site-packages"
    return next(iter(Path(environment).glob(pattern)), None)
