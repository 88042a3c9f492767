"""A quick look into a local dataset, without any package: its columns, its first row, and what is broken in it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aligntune_core.data.files.content import decode, read_bytes
from aligntune_core.data.files.json_rows import read_rows
from aligntune_core.data.files.paths import SAVED_SPLITS, LocalData, is_local, kind_of, locate
from aligntune_core.data.files.table_rows import read_table
from aligntune_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Inspected", "LocalData", "first_broken_line", "inspect", "is_local"]

LIMIT_BYTES = 1024 * 1024
"""How much of a file is looked at, unless told otherwise: some tens of milliseconds."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """What can be told about a local dataset at a glance.

    Args:
        data: Where it is and of which kind.
        columns: Its columns; empty when they can't be known without a package (parquet).
        first: Its first row, where that could be read.
        rows: How many rows it has; None when not all of it was looked at.
    """

    data: LocalData
    columns: tuple[str, ...] = ()
    first: Mapping[str, Any] = field(default_factory=dict)
    rows: int | None = None


def inspect(name: str, limit_bytes: int = LIMIT_BYTES) -> Inspected:
    """Look into a local file, folder or saved dataset; of a folder, into its first file.

    Args:
        name: The path.
        limit_bytes: How much of a file is read.

    Raises:
        DataError: If it isn't there, or what was read of it can't be used: empty, not UTF-8, broken JSON (with file
            and line), not a list of objects, CSV rows with too few or too many cells (with file and line), a gzip file
            that is cut off.
    """
    data = locate(name)
    if data.is_saved:
        return _saved(data)
    columns, first, rows = _look(data.files[0], limit_bytes)
    return Inspected(data, columns, first, rows if len(data.files) == 1 else None)


def first_broken_line(name: str) -> DataError | None:
    """The first fault in a local dataset, all of it read; None when every line can be read.

    Args:
        name: The path.
    """
    try:
        data = locate(name)
        for file in data.files:
            _look(file, None)
    except DataError as fault:
        return fault
    return None


def _look(path: Path, limit: int | None) -> tuple[tuple[str, ...], dict[str, Any], int | None]:
    data, whole = read_bytes(path, limit)
    kind = kind_of(path)
    if kind == "parquet":
        _check_parquet(path, data, whole=whole)
        return (), {}, None
    text = decode(data, path, whole=whole)
    if kind == "json":
        if data.startswith(b"\xef\xbb\xbf") and text.lstrip().startswith("["):
            raise DataError(f"'{path}' begins with a byte order mark.", fix="Save it as UTF-8 without one.")
        return _summary(read_rows(text, path, whole=whole), whole=whole, path=path)
    if kind == "text":
        lines = text.removesuffix("\n").split("\n")
        return ("text",), {"text": lines[0]}, len(lines) if whole else None
    return _summary(read_table(text, path, "\t" if kind == "tsv" else ",", whole=whole), whole=whole, path=path)


def _summary(
    rows: Iterator[dict[str, Any]], *, whole: bool, path: Path
) -> tuple[tuple[str, ...], dict[str, Any], int | None]:
    first: dict[str, Any] | None = None
    columns: dict[str, None] = {}
    count = 0
    for row in rows:
        first = row if first is None else first
        count += 1
        columns |= dict.fromkeys(row)
    if first is None and whole:
        raise DataError(f"'{path}' has no rows.", fix="Give a file with rows in it.")
    return tuple(columns), first or {}, count if whole else None


def _check_parquet(path: Path, data: bytes, *, whole: bool) -> None:
    if not data:
        raise DataError(f"'{path}' is empty.", fix="Give a file with rows in it.")
    end, is_end_known = data, whole
    if not whole and not path.name.lower().endswith(".gz"):
        with path.open("rb") as file:
            file.seek(-4, 2)
            end, is_end_known = file.read(), True
    if not data.startswith(b"PAR1") or (is_end_known and not end.endswith(b"PAR1")):
        raise DataError(f"'{path}' is not a whole parquet file.", fix="Fetch or write it again.")


def _saved(data: LocalData) -> Inspected:
    folder = data.path
    try:
        if data.kind == SAVED_SPLITS:
            splits = json.loads((folder / "dataset_dict.json").read_bytes())["splits"]
            folder /= "train" if "train" in splits else splits[0]
        info = json.loads((folder / "dataset_info.json").read_bytes())
        return Inspected(data, tuple((info.get("features") or {}).keys()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"the dataset saved in '{data.path}' is not whole: {error}.", fix="Save it again with save_to_disk."
        ) from error
