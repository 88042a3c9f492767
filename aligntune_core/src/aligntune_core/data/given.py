"""Datasets given in Python: their rows in batches, and a dataset of the same kind made of such batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from aligntune_core.data.sources import quiet_datasets, source_of
from aligntune_core.data.storage.columns import Unstorable
from aligntune_core.data.storage.keep import Batch, keep

if TYPE_CHECKING:
    from datasets import Dataset

Batches = Callable[[], Iterator[list[dict[str, Any]]]]
"""Begins to give rows, some at a time."""


def batches_of(given: Any) -> dict[str, Batches]:
    """The rows of each split.

    Args:
        given: A ``datasets.Dataset``, a ``DatasetDict`` or a list of rows.

    Raises:
        DataError: If it is none of these.
    """
    # a list needs no library to be read, and one that is wrong is for the library to tell of
    if isinstance(given, list | tuple) and all(isinstance(row, Mapping) for row in given):
        return {"train": lambda: iter([list(map(dict, given))])}
    return {name: split.batches for name, split in source_of(given, "train").splits.items()}


def rows_of_kind(kind: str, splits: Mapping[str, Batches]) -> Any:
    """A dataset of the kind that the rows were taken from.

    Args:
        kind: The name of its type.
        splits: The rows of each split.
    """
    if kind in {"list", "tuple"}:
        rows = [row for batches in splits.values() for batch in batches() for row in batch]
        return tuple(rows) if kind == "tuple" else rows
    with quiet_datasets():
        from datasets import DatasetDict

        made = {split: _dataset(batches) for split, batches in splits.items()}
    return DatasetDict(made) if kind == "DatasetDict" else made["train"]


def _dataset(batches: Batches) -> Dataset:
    try:
        return keep(None, lambda: (Batch(rows) for rows in batches())).rows
    except Unstorable:  # what `datasets` keeps and this project's own storage does not, such as bytes among texts
        from datasets import Dataset

        return Dataset.from_list([row for rows in batches() for row in rows])
