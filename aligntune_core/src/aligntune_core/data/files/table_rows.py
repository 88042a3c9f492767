"""The rows of CSV and TSV files, one after another; a row with too few or too many cells is told by its line."""

from __future__ import annotations

import csv
import io
from itertools import chain
from typing import TYPE_CHECKING

from aligntune_core.data.files.content import BLOCK, empty, no_rows, too_long
from aligntune_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aligntune_core.data.files.content import Source


def table_rows(source: Source, delimiter: str) -> Iterator[dict[str, str]]:
    """The rows of a table with a header, every cell as the text it is.

    Args:
        source: The file, opened.
        delimiter: What stands between two cells.

    Raises:
        DataError: If two columns have one name, or a row has another number of cells than the header; with the line.
    """
    # the limit of the csv module is one for the whole process, and lower than that of a row
    csv.field_size_limit(max(csv.field_size_limit(), source.limits.row))
    table = _Table(source)
    reader = csv.reader(chain.from_iterable(table.pieces()), delimiter=delimiter)
    header: list[str] = []
    has_rows = False
    try:
        for cells in reader:
            if not cells:
                pass
            elif not header:
                header = _columns(cells, source.path)
            elif len(cells) == len(header):
                has_rows = True
                yield dict(zip(header, cells, strict=True))
            else:
                raise _uneven(source.path, table.line, len(cells), len(header))
            table.line = reader.line_num + 1
            table.taken = source.taken
    except csv.Error as error:
        raise too_long(source.path, table.line, source.limits) from error
    if not header:
        raise empty(source.path)
    if not has_rows:
        raise no_rows(source.path)


class _Table:
    """Where in its file the row begins that is read.

    Args:
        source: The file, opened.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.line = 1
        self.taken = 0

    def pieces(self) -> Iterator[io.StringIO]:
        """The lines of the file, in which one row may be several."""
        for text in self.source.lines():
            if self.source.taken - self.taken > self.source.limits.row + 2 * BLOCK:
                raise too_long(self.source.path, self.line, self.source.limits)
            yield io.StringIO(text + "\n", newline="")


def _columns(header: list[str], path: Path) -> list[str]:
    twice = [column for column in header if header.count(column) > 1]
    if twice:
        raise DataError(f"{path}:1: two columns are called '{twice[0]}'.", fix="Rename one of them.")
    return header


def _uneven(path: Path, line: int, cells: int, columns: int) -> DataError:
    return DataError(
        f"{path}:{line}: the number of cells in the row is {cells}, in the header {columns}.",
        fix="Quote cells that hold a separator or a line break.",
    )
