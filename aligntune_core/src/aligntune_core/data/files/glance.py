"""A quick look into a local dataset, without any package: its columns, its first row, and what is broken in it."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aligntune_core.data.files.content import LookedEnough, opened
from aligntune_core.data.files.limits import DEFAULT_LIMITS, MIB, Limits
from aligntune_core.data.files.paths import SAVED_SPLITS, LocalData, is_local, locate
from aligntune_core.data.files.stream import read_rows, rows_of
from aligntune_core.errors import DataError
from aligntune_core.machine.regular_file import read_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Inspected", "LocalData", "first_broken_line", "inspect", "is_local"]

LIMIT_BYTES = MIB
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


def inspect(name: str, limit_bytes: int = LIMIT_BYTES, limits: Limits = DEFAULT_LIMITS) -> Inspected:
    """Look into a local file, folder or saved dataset; of a folder, into its first file.

    Args:
        name: The path.
        limit_bytes: How much of a file is read; more where the first row is longer.
        limits: What a file may hold.

    Raises:
        DataError: If it isn't there, or what was read of it can't be used: empty, not UTF-8, broken JSON (with file
            and line), not a list of objects, CSV rows with too few or too many cells (with file and line), a gzip file
            that is cut off, more than the limits.
    """
    data = locate(name)
    if data.is_saved:
        return _saved(data)
    if data.kind == "parquet":
        _check_parquet(data.files[0], limits)
        return Inspected(data)
    columns, first, rows = _look(data.files[0], limits, limit_bytes)
    return Inspected(data, columns, first, rows if len(data.files) == 1 else None)


def first_broken_line(name: str, limits: Limits = DEFAULT_LIMITS) -> DataError | None:
    """The first fault in a local dataset, all of it read; None when every line can be read.

    Args:
        name: The path.
        limits: What a file may hold.
    """
    try:
        data = locate(name)
        for file in data.files:
            if data.kind == "parquet":
                _check_parquet(file, limits)
            else:
                deque(read_rows(file, limits), maxlen=0)
    except DataError as fault:
        return fault
    return None


def _look(path: Path, limits: Limits, head: int) -> tuple[tuple[str, ...], dict[str, Any], int | None]:
    first: dict[str, Any] = {}
    columns: dict[str, None] = {}
    count = 0
    with opened(path, limits, head) as source:
        try:
            for row in rows_of(source):
                first = first if count else row
                count += 1
                columns |= dict.fromkeys(row)
                source.has_rows = True
        except LookedEnough:
            source.unpack_on()
            return tuple(columns), first, None
    return tuple(columns), first, count


def _check_parquet(path: Path, limits: Limits) -> None:
    with opened(path, limits) as source:
        data = source.read(LIMIT_BYTES)
        end = source.end() if source.is_plain else data if not source.read(1) else _PARQUET
    if not data.startswith(_PARQUET) or not end.endswith(_PARQUET):
        raise DataError(f"'{path}' is not a whole parquet file.", fix="Fetch or write it again.")


_PARQUET = b"PAR1"
_MOST_DESCRIPTION = 64 * MIB


def _saved(data: LocalData) -> Inspected:
    folder = data.path
    try:
        if data.kind == SAVED_SPLITS:
            splits = json.loads(read_file(folder / "dataset_dict.json", _MOST_DESCRIPTION))["splits"]
            folder /= "train" if "train" in splits else splits[0]
        info = json.loads(read_file(folder / "dataset_info.json", _MOST_DESCRIPTION))
        return Inspected(data, tuple((info.get("features") or {}).keys()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"the dataset saved in '{data.path}' is not whole: {error}.", fix="Save it again with save_to_disk."
        ) from error
