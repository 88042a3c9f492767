"""Datasets from wherever a job names them: the hub, this machine, AlignTune itself, or Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from glob import escape
from typing import TYPE_CHECKING, Any

from aligntune_core.data.builtin import PREFIX, SPLITS, builtin_rows
from aligntune_core.data.failures import bad_split, explain_hub, explain_local, no_split
from aligntune_core.data.files.glance import Inspected, first_broken_line, inspect
from aligntune_core.data.files.paths import SAVED_SPLITS, is_local
from aligntune_core.errors import DataError
from aligntune_core.machine.importing import large_import

if TYPE_CHECKING:
    from datasets import Dataset

_WHOLE_FILE = 1 << 30
"""Bytes of JSON that are read at once: by smaller pieces, `datasets` quotes the texts of a column in those pieces where
another type is found, and refuses columns that begin in a later piece."""


def load_rows(source: Any, split: str | None = None, max_samples: int | None = None) -> Dataset:
    """The raw rows of a dataset.

    Args:
        source: ``builtin:NAME``, a local file or folder, a hub id ``org/name`` or ``org/name:config``, or in Python a
            ``datasets.Dataset``, a ``DatasetDict`` or a list of dicts.
        split: Which split, or a part of one like ``train[:10%]``; ``train`` unless given.
        max_samples: Take no more than this many rows, the first ones.

    Raises:
        DataError: If it can't be loaded, or has no such split.
    """
    with _quiet():
        read = _named if isinstance(source, str) else _given
        rows = read(source, split or "train")
        return rows.select(range(max_samples)) if max_samples is not None and len(rows) > max_samples else rows


def describe(source: object) -> str:
    """What to call a dataset in a message or a record."""
    if isinstance(source, str):
        return source
    rows = f" of {len(source)} rows" if hasattr(source, "__len__") and not isinstance(source, Mapping) else ""
    return f"<{type(source).__name__}{rows}>"


def _named(name: str, split: str) -> Dataset:
    if name.startswith(PREFIX):
        return _part({each: _from_list(builtin_rows(name, each)) for each in SPLITS}, split, f"'{name}'")
    if is_local(name):
        return _local(name, split)
    from datasets import load_dataset

    repo, _, config = name.partition(":")
    try:
        return load_dataset(repo, config or None, split=split)
    except Exception as error:
        raise explain_hub(error, name, split) from error


def _local(name: str, split: str) -> Dataset:
    from datasets import load_dataset, load_from_disk

    found = inspect(name)
    path = str(found.data.path)
    if escape(path) != path and (found.data.is_folder or path.lower().endswith(".gz")):
        raise DataError(f"the path '{path}' has one of []*? in it, which would be read as a pattern.", fix="Rename it.")
    try:
        if found.data.is_saved:
            splits = load_from_disk(path)
            splits = splits if found.data.kind == SAVED_SPLITS else {"train": splits}
        elif found.data.is_folder:
            splits = load_dataset(path, **_how(found))
        else:
            splits = load_dataset(_BUILDERS[found.data.kind], data_files=escape(path), **_how(found))
    except Exception as error:
        raise first_broken_line(name) or explain_local(error, name) from error
    return _part(splits, split, f"'{name}'")


_BUILDERS = {"json": "json", "csv": "csv", "tsv": "csv", "parquet": "parquet", "text": "text"}


def _how(found: Inspected) -> dict[str, Any]:
    """Settings under which a cell of a table is the text it is in the file: 007 stays 007, NA stays NA."""
    if found.data.kind == "json":
        return {"chunksize": _WHOLE_FILE}
    if found.data.kind not in ("csv", "tsv"):
        return {}
    from datasets import Features, Value

    separator = {"sep": "\t"} if found.data.kind == "tsv" else {}
    texts = Features({column: Value("string") for column in found.columns})
    return {"features": texts, "keep_default_na": False, **separator}


def _given(source: Any, split: str) -> Dataset:
    from datasets import Dataset, DatasetDict, IterableDataset, IterableDatasetDict

    if isinstance(source, DatasetDict):
        return _part(source, split, "the DatasetDict")
    if isinstance(source, Dataset):
        return _part({"train": source}, split, "a Dataset given in Python")
    if isinstance(source, IterableDataset | IterableDatasetDict):
        raise DataError(
            f"the dataset is an {type(source).__name__}, whose length isn't known and which can be read only in order.",
            fix="Take rows from it: datasets.Dataset.from_list(list(dataset.take(10000))).",
        )
    if isinstance(source, list | tuple) and all(isinstance(row, Mapping) for row in source):
        return _part({"train": _from_list([dict(row) for row in source])}, split, "a list given in Python")
    raise DataError(
        f"a dataset can't be a {type(source).__name__}.", fix="Give a name, a datasets.Dataset or a list of dicts."
    )


def _from_list(rows: list[dict[str, Any]]) -> Dataset:
    from datasets import Dataset

    columns = dict.fromkeys(column for row in rows for column in row)
    odd = next((column for column in columns if not isinstance(column, str)), None)
    if odd is not None:
        raise DataError(f"a column is called {odd!r}, which is not text.", fix="Name columns with text.")
    try:
        return Dataset.from_dict({column: [row.get(column) for row in rows] for column in columns})
    except Exception as error:
        raise DataError(
            f"the rows can't be made a dataset: {_mixed(rows, columns) or error}.",
            fix="Give each column one type, and text that is valid Unicode.",
        ) from error


def _mixed(rows: list[dict[str, Any]], columns: Mapping[str, None]) -> str:
    for column in columns:
        types = sorted({type(row[column]).__name__ for row in rows if row.get(column) is not None})
        if len(types) > 1:
            return f"the column '{column}' holds {' and '.join(types)}"
    return ""


def _part(splits: Mapping[str, Dataset], split: str, name: str) -> Dataset:
    from datasets import ReadInstruction, concatenate_datasets

    if split in splits:
        return splits[split]
    lengths = {each: len(rows) for each, rows in splits.items()}
    try:
        parts = ReadInstruction.from_spec(split).to_absolute(lengths)
    except Exception as error:
        if "Unknown split" in str(error):
            raise no_split(name, split, lengths) from error
        raise bad_split(name, split) from error
    taken = [splits[part.splitname].select(range(part.from_, part.to)) for part in parts]
    return taken[0] if len(taken) == 1 else concatenate_datasets(taken)


@contextmanager
def _quiet() -> Iterator[None]:
    with large_import():
        import datasets

    bars, level = not datasets.are_progress_bars_disabled(), datasets.logging.get_verbosity()
    if bars:
        datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    try:
        yield
    finally:
        datasets.logging.set_verbosity(level)
        if bars:
            datasets.enable_progress_bars()
