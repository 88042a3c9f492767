"""The rows of one data file, one after another, however long it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.data.files.content import Source, opened
from aligntune_core.data.files.json_rows import json_rows
from aligntune_core.data.files.limits import DEFAULT_LIMITS, Limits
from aligntune_core.data.files.paths import kind_of
from aligntune_core.data.files.table_rows import table_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


def read_rows(path: Path, limits: Limits = DEFAULT_LIMITS) -> Iterator[dict[str, Any]]:
    """The rows of a JSON, CSV, TSV or text file, packed with gzip or not; little of it is in memory at a time.

    Args:
        path: The file, whose kind is told by its suffix.
        limits: What it may hold.

    Raises:
        DataError: With the first fault, and its line where it has one, once the rows before it were given.
    """
    with opened(path, limits) as source:
        yield from rows_of(source)


def rows_of(source: Source) -> Iterator[dict[str, Any]]:
    """The same of a file that is open, of which perhaps only the head is read.

    Args:
        source: The file, opened.

    Raises:
        DataError: With the first fault.
        LookedEnough: After the head.
    """
    return READERS[kind_of(source.path) or ""](source)


def _text_rows(source: Source) -> Iterator[dict[str, Any]]:
    source.start()
    for text in source.lines():
        for line in (text.replace("\r\n", "\n") if "\r\n" in text else text).split("\n"):
            yield {"text": line}


READERS: Mapping[str, Callable[[Source], Iterator[dict[str, Any]]]] = {
    "json": json_rows,
    "csv": lambda source: table_rows(source, ","),
    "tsv": lambda source: table_rows(source, "\t"),
    "text": _text_rows,
}
"""How the rows of a file are read, by its kind."""
