"""Rows from batches, kept under a key: written once, and mapped from the disk whenever they are asked for again."""

from __future__ import annotations

import json
import os
import re
from array import array
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from aligntune_core.data.row_code import versions
from aligntune_core.data.storage.writer import Row, RowWriter
from aligntune_core.errors import DataError
from aligntune_core.events import Notice, ignore
from aligntune_core.machine import entries
from aligntune_core.machine.cache_folder import cache_folder
from aligntune_core.machine.collector import collected_between

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from datasets import Dataset

    from aligntune_core.events import Listener

SIZE_SETTING = "ALIGNTUNE_CACHE_SIZE"
DEFAULT_SIZE = "20GB"
_UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_FACTS, _ROWS = "facts.json", "rows.arrow"
_ENGINES = ("trl", "transformers", "datasets")


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows, and what is to be kept with them.

    Args:
        rows: The rows.
        shape: Their shape; rows of a narrower one are brought to the widest of all batches.
        sides: Numbers by name, one after another through all batches, as ``array`` of one type each.
        facts: What is known by now, as JSON-ready values; that of the last batch is kept.
    """

    rows: list[Row]
    shape: int = 0
    sides: Mapping[str, array[int]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows that are kept.

    Args:
        rows: The rows; mapped from a file, or in memory.
        shape: Their shape.
        sides: The numbers that are kept with them.
        facts: The facts of the last batch.
    """

    rows: Dataset
    shape: int
    sides: Mapping[str, array[int]]
    facts: Mapping[str, Any]


def no_shapes(rows: list[Row], shape: int) -> list[Row]:  # noqa: ARG001 - the signature of `shaped`
    """The rows as they are: for batches of one shape."""
    return rows


def key_of(*parts: object) -> str:
    """A key from everything that the rows depend on; each part must say all of itself when it is printed."""
    return blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def keep(
    key: str | None,
    batches: Callable[[], Iterator[Batch]],
    *,
    shaped: Callable[[list[Row], int], list[Row]] = no_shapes,
    emit: Listener = ignore,
) -> Kept:
    """The rows of batches, from the cache where they are there.

    Args:
        key: What they are known by, as ``key_of`` gives it; None for rows that are not to be written to the disk.
        batches: Begins to give the batches; called when the rows are not there, and again if the disk fails.
        shaped: Gives rows a wider shape than they have.
        emit: Receives a Notice where the cache can't be used.

    Raises:
        DataError: If the cache's size is set to what is no size; or what ``batches`` raises.
        Unstorable: If values can't be kept.
    """
    limit = _limit()
    if key is None or limit == 0:
        return _in_memory(batches, shaped)
    folder = cache_folder() / "datasets"
    entry = entries.find(folder, key)
    if entry is not None:
        try:
            return _opened(entry, key)
        except (OSError, ValueError, KeyError, TypeError, EOFError):
            entries.discard(entry)
    try:
        entry = entries.make(folder, key, lambda made: _write(made, batches, shaped))
        entries.trim(folder, limit)
        return _opened(entry, key)
    except OSError as error:
        emit(
            Notice(
                f"the rows are kept in memory, since they can't be written to '{folder}': {error.strerror or error}.",
                warning=True,
                code="cache-unusable",
            )
        )
    return _in_memory(batches, shaped)


def is_kept(key: str | None) -> bool:
    """Whether there are rows of a key in the cache."""
    return key is not None and entries.find(cache_folder() / "datasets", key) is not None


def _limit() -> int:
    text = os.environ.get(SIZE_SETTING) or DEFAULT_SIZE
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?b?)\s*", text.lower())
    unit = found and (found[2] if found[2] in _UNITS else f"{found[2]}b")
    if not found or unit not in _UNITS:
        raise DataError(f"{SIZE_SETTING} is '{text}', which is no size.", fix="Write it like 20GB; 0 keeps nothing.")
    return int(float(found[1]) * _UNITS[unit])


def _write(
    folder: Path | None, batches: Callable[[], Iterator[Batch]], shaped: Callable[[list[Row], int], list[Row]]
) -> tuple[Any, dict[str, array[int]], dict[str, Any]]:
    writer = RowWriter(folder, shaped)
    sides: dict[str, array[int]] = {}
    facts: Mapping[str, Any] = {}
    count = 0
    with collected_between() as collect:
        for batch in batches():
            writer.write(batch.rows, batch.shape)
            count += len(batch.rows)
            facts = batch.facts
            for name, numbers in batch.sides.items():
                sides.setdefault(name, array(numbers.typecode)).extend(numbers)
            collect()
        table = writer.finish()
    known = {"rows": count, "shape": writer.shape, "facts": dict(facts)}
    if folder is not None:
        for name, numbers in sides.items():
            with (folder / f"{name}.bin").open("wb") as file:
                numbers.tofile(file)
        known["sides"] = {name: [numbers.typecode, len(numbers)] for name, numbers in sides.items()}
        known["bytes"] = (folder / _ROWS).stat().st_size
        (folder / _FACTS).write_text(json.dumps(known), encoding="utf-8")
    return table, sides, known


def _opened(entry: Path, key: str) -> Kept:
    """An entry's rows.

    Raises:
        OSError, ValueError, KeyError, TypeError, EOFError: If it is damaged.
    """
    from datasets import Dataset

    known = json.loads((entry / _FACTS).read_text(encoding="utf-8"))
    file = entry / _ROWS
    if file.stat().st_size != known["bytes"]:
        raise ValueError("the file was cut off")
    # an engine writes what it makes of the rows beside them, or keeps it in memory with them
    is_shared = os.access(entry, os.W_OK)
    rows = Dataset.from_file(str(file), in_memory=not is_shared)
    if is_shared:
        _discard_cut_off(entry)
    if len(rows) != known["rows"]:
        raise ValueError("rows are missing")
    rows._fingerprint = key_of(key, versions(*_ENGINES))  # noqa: SLF001 - what `map` names its files by
    sides = {}
    for name, (typecode, count) in known["sides"].items():
        sides[name] = array(typecode)
        with (entry / f"{name}.bin").open("rb") as side:
            sides[name].fromfile(side, count)
    return Kept(rows, known["shape"], sides, known["facts"])


def _discard_cut_off(entry: Path) -> None:
    """Take away what an engine made of the rows where it is not whole: the engine would find it, and fail."""
    from datasets import Dataset

    for file in entry.glob("cache-*.arrow"):
        try:
            Dataset.from_file(str(file))
        except (OSError, ValueError):
            file.unlink(missing_ok=True)


def _in_memory(batches: Callable[[], Iterator[Batch]], shaped: Callable[[list[Row], int], list[Row]]) -> Kept:
    import pyarrow as pa
    from datasets import Dataset
    from datasets.fingerprint import generate_random_fingerprint

    buffer, sides, known = _write(None, batches, shaped)
    with pa.ipc.open_stream(buffer) as stream:
        rows = Dataset(stream.read_all(), fingerprint=generate_random_fingerprint())
    return Kept(rows, known["shape"], sides, known["facts"])
