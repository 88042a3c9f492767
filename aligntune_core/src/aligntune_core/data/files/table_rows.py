"""The rows of CSV and TSV files, one after another; a row with too few or too many cells is told by its line."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from aligntune_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def read_table(text: str, path: Path, delimiter: str, *, whole: bool) -> Iterator[dict[str, str]]:
    """The rows of a table with a header, every cell as the text it is.

    Args:
        text: What is in the file, or how it begins.
        path: The file, for messages.
        delimiter: What stands between two cells.
        whole: Whether ``text`` is all of it; if not, its last row may break off and is left out.

    Raises:
        DataError: If two columns have one name, or a row has another number of cells than the header; with the line.
    """
    rows = _numbered(text, delimiter)
    _, header = next(rows, (0, []))
    twice = [column for column in header if header.count(column) > 1]
    if twice:
        raise DataError(f"{path}:1: two columns are called '{twice[0]}'.", fix="Rename one of them.")
    held: tuple[int, list[str]] | None = None
    for found in rows:
        if held:
            yield _row(held, header, path)
        held = found
    if held and whole:
        yield _row(held, header, path)


def _numbered(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error:
            return  # a cell is longer than the csv module takes; what loads the file takes it
        if cells is None:
            return
        if cells:
            yield line, cells


def _row(numbered: tuple[int, list[str]], header: list[str], path: Path) -> dict[str, str]:
    line, cells = numbered
    if len(cells) != len(header):
        raise DataError(
            f"{path}:{line}: the number of cells in the row is {len(cells)}, in the header {len(header)}.",
            fix="Quote cells that hold a separator or a line break.",
        )
    return dict(zip(header, cells, strict=True))
