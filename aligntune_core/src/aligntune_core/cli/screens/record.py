"""What a plugin says of its backend, as the file that its distribution ships, and whether that file is up to date."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from aligntune_core.backends.installed import package_file
from aligntune_core.backends.recorded import Recorded, RecordError, differences, from_text, read_record, to_values
from aligntune_core.backends.registry import registry
from aligntune_core.backends.settings import all_schemas
from aligntune_core.console.json_text import laid_out
from aligntune_core.errors import AlignTuneError, BackendError
from aligntune_core.groups import RECORD_GROUP
from aligntune_core.wording import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

DEPTH = 3
"""How deep the file's objects and lists are laid out: each capability row is one line."""


def text_of(recorded: Recorded) -> str:
    """The contents of the file, the same for the same plugin.

    Args:
        recorded: What the plugin says of itself.
    """
    return laid_out(to_values(recorded), depth=DEPTH) + "\n"


def write(name: str, file: Path | None) -> None:
    """Write what a plugin says of its backend.

    Args:
        name: The backend.
        file: The file; standard output if None.

    Raises:
        AlignTuneError: If there is no such backend, its plugin can't be used, or the file can't be written.
    """
    text = text_of(_said(name))
    if file is None:
        sys.stdout.write(text)
        return
    try:
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise AlignTuneError(f"'{file}' can't be written: {error.strerror or error}.") from error


def compare(name: str, file: Path | None) -> int:
    """Say whether what is recorded of a backend is what its plugin says.

    Args:
        name: The backend.
        file: The file to compare; the one that its distribution ships if None.

    Returns:
        The program's exit code: 0 if it is, else 1.

    Raises:
        AlignTuneError: If there is no such backend, or its plugin can't be used.
    """
    name = registry().spelt(name) or name
    said = _said(name)
    again = f"Write it anew with: aligntune plugin export {name} -o {file or 'FILE'}"
    try:
        recorded = _read(name, file)
    except RecordError as error:
        sys.stdout.write(f"What is recorded of '{name}' can't be used: {error}. {again}\n")
        return 1
    apart = differences(recorded, said)
    if apart:
        sys.stdout.write(f"What is recorded of '{name}' is not what its plugin says in {', '.join(apart)}. {again}\n")
        return 1
    sys.stdout.write(f"What is recorded of '{name}' is what its plugin says.\n")
    return 0


def _said(name: str) -> Recorded:
    known = registry()
    spelt = known.spelt(name)
    if spelt is None:
        raise AlignTuneError(f"there is no backend '{name}'.", fix=did_you_mean(name, known.names()))
    backend = known.get(spelt)
    if backend.info is None or backend.plugin is None:
        raise BackendError(f"the plugin of backend '{spelt}' can't be asked: {backend.reason}.") from backend.cause
    package, file = getattr(backend.plugin, "__name__", "").partition(".")[0], backend.info.constraints
    if file and package and package_file(package, file) is None:
        raise BackendError(f"backend '{spelt}' names the constraints '{file}', and {package} has no such file.")
    return replace(known.said(spelt), settings=all_schemas(backend, known))


def _read(name: str, file: Path | None) -> Recorded:
    if file is not None:
        try:
            return from_text(file.read_bytes())
        except OSError as error:
            raise RecordError(f"'{file}' can't be read: {error.strerror or error}") from error
    place = registry().record_place(name)
    if not place:
        raise RecordError(f"its distribution has no entry point '{name}' in the group {RECORD_GROUP}")
    return read_record(place)
