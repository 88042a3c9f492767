"""Datasets from wherever a job names them: the hub, this machine, AlignTune itself, or Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aligntune_core.data.parts import first_of, ranges_of, splits_in
from aligntune_core.data.row_code import row_code
from aligntune_core.data.sources import quiet_datasets, source_of
from aligntune_core.data.storage.columns import Unstorable
from aligntune_core.data.storage.keep import Batch, keep, key_of
from aligntune_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datasets import Dataset

    from aligntune_core.data.sources import Source, Split


def load_rows(source: Any, split: str | None = None, max_samples: int | None = None) -> Dataset:
    """The raw rows of a dataset, each as it is.

    Args:
        source: ``builtin:NAME``, a local file or folder, a hub id ``org/name`` or ``org/name:config``, or in Python a
            ``datasets.Dataset``, a ``DatasetDict`` or a list of dicts.
        split: Which split, or a part of one like ``train[:10%]``; ``train`` unless given.
        max_samples: Take no more than this many rows, the first ones.

    Raises:
        DataError: If it can't be loaded, or has no such split.
    """
    with quiet_datasets():
        spec = split or "train"
        found = source_of(source, spec)
        names = splits_in(spec, found.splits, found.name) if found.taken is None else tuple(found.splits)
        rows = [_whole(found, found.splits[name]) for name in names]
        lengths = {name: len(each) for name, each in zip(names, rows, strict=True)}
        ranges = first_of(ranges_of(spec, lengths, found.name), max_samples)
        if len(rows) == 1 and ranges == [range(len(rows[0]))]:
            return rows[0]
        return selected(rows, ranges)


def selected(rows: Sequence[Dataset], ranges: Sequence[range]) -> Dataset:
    """Ranges of rows, counted through all the datasets one after another."""
    from datasets import concatenate_datasets

    joined = rows[0] if len(rows) == 1 else concatenate_datasets(list(rows))
    taken = [joined.select(each) for each in ranges]
    return taken[0] if len(taken) == 1 else concatenate_datasets(taken)


def describe(source: object) -> str:
    """What to call a dataset in a message or a record."""
    if isinstance(source, str):
        return source
    rows = f" of {len(source)} rows" if hasattr(source, "__len__") and not isinstance(source, Mapping) else ""
    return f"<{type(source).__name__}{rows}>"


def raw_batches(splits: Sequence[Split], at_most: int | None = None) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """The rows of splits in batches, each with the number of its split.

    Args:
        splits: The splits.
        at_most: How many rows to read.

    Raises:
        DataError: If a row can't be read.
    """
    left = at_most
    for number, split in enumerate(splits):
        for batch in split.batches():
            rows = batch if left is None else batch[:left]
            yield number, rows
            if left is not None:
                left -= len(rows)
                if not left:
                    return


def _whole(source: Source, split: Split) -> Dataset:
    if split.dataset is not None:
        return split.dataset
    key = key_of(row_code(), "raw", split.digest) if split.digest else None
    try:
        return keep(key, lambda: (Batch(rows) for _, rows in raw_batches([split]))).rows
    except Unstorable as unstorable:
        raise DataError(
            f"the rows of {source.name} can't be made a dataset: {unstorable.reason}.",
            fix="Give each column values that JSON can hold, or one type.",
        ) from unstorable
