"""Where raw rows come from: files, folders, saved datasets, the hub, AlignTune itself, or Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from glob import escape
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core.data.builtin import PREFIX, SPLITS, builtin_rows
from aligntune_core.data.failures import explain_hub, explain_local
from aligntune_core.data.files.limits import DEFAULT_LIMITS, Limits
from aligntune_core.data.files.paths import SAVED_SPLITS, kind_of, locate
from aligntune_core.data.files.paths import is_local as is_local_name
from aligntune_core.data.files.stream import read_rows
from aligntune_core.data.storage.keep import key_of
from aligntune_core.errors import DataError
from aligntune_core.machine.importing import large_import
from aligntune_core.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from datasets import Dataset

    from aligntune_core.data.files.paths import LocalData

RawRows = list[dict[str, Any]]
AT_ONCE = 1000
"""How many rows are in memory at once."""

_ENDS = 65536


@dataclass(frozen=True, slots=True)
class Split:
    """One split of a dataset.

    Args:
        batches: Begins to give its rows.
        digest: What its rows are known by; None where they are in memory.
        dataset: The rows as `datasets` has them, where it does.
    """

    batches: Callable[[], Iterator[RawRows]]
    digest: str | None = None
    dataset: Dataset | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A dataset.

    Args:
        name: What it is called in messages.
        splits: Its splits.
        taken: The split, or part of one, that ``splits`` are already; None if they are all there is.
    """

    name: str
    splits: Mapping[str, Split]
    taken: str | None = None


def source_of(given: Any, split: str, limits: Limits = DEFAULT_LIMITS) -> Source:
    """What a job's name of a dataset, or data given in Python, stands for.

    Args:
        given: As for ``load_rows``.
        split: Which split is asked for; the hub is not asked for others.
        limits: What a local file may hold.

    Raises:
        DataError: If it can't be found or opened.
    """
    return _named(given, split, limits) if isinstance(given, str) else _given(given)


def _named(name: str, split: str, limits: Limits) -> Source:
    if name.startswith(PREFIX):
        return Source(f"'{name}'", {each: _of_list(builtin_rows(name, each)) for each in SPLITS})
    if is_local_name(name):
        return _local(name, limits)
    from datasets import load_dataset

    repo, _, config = name.partition(":")
    try:
        rows = load_dataset(repo, config or None, split=split)
    except Exception as error:
        raise explain_hub(error, name, split) from error
    return Source(f"the dataset '{name}'", {split: _of_dataset(rows)}, taken=split)


def _local(name: str, limits: Limits) -> Source:
    from datasets import load_from_disk

    found = locate(name)
    path = str(found.path)
    if found.is_saved:
        try:
            saved = load_from_disk(path)
        except Exception as error:
            raise explain_local(error, name) from error
        splits = saved if found.kind == SAVED_SPLITS else {"train": saved}
        return Source(f"'{name}'", {each: _of_dataset(rows) for each, rows in splits.items()})
    files = _by_split(found, name) if found.is_folder else {"train": found.files}
    return Source(f"'{name}'", {each: _of_files(paths, limits) for each, paths in files.items()})


def _by_split(found: LocalData, name: str) -> dict[str, tuple[Path, ...]]:
    """The files of each split of a folder, as `datasets` tells them apart by their names or by its README.md."""
    from datasets import load_dataset_builder

    path = str(found.path)
    if escape(path) != path:
        raise DataError(f"the path '{path}' has one of []*? in it, which would be read as a pattern.", fix="Rename it.")
    try:
        files = load_dataset_builder(path).config.data_files or {}
    except Exception as error:
        raise explain_local(error, name) from error
    return {str(split): tuple(map(Path, paths)) for split, paths in files.items()}


def _given(given: Any) -> Source:
    from datasets import Dataset, DatasetDict, IterableDataset, IterableDatasetDict

    if isinstance(given, DatasetDict):
        return Source("the DatasetDict", {str(each): _of_dataset(rows) for each, rows in given.items()})
    if isinstance(given, Dataset):
        return Source("a Dataset given in Python", {"train": _of_dataset(given)})
    if isinstance(given, IterableDataset | IterableDatasetDict):
        raise DataError(
            f"the dataset is an {type(given).__name__}, whose length isn't known and which can be read only in order.",
            fix="Take rows from it: datasets.Dataset.from_list(list(dataset.take(10000))).",
        )
    if isinstance(given, list | tuple) and all(isinstance(row, Mapping) for row in given):
        return Source("a list given in Python", {"train": _of_list(given)})
    raise DataError(
        f"a dataset can't be a {type(given).__name__}.", fix="Give a name, a datasets.Dataset or a list of dicts."
    )


def _of_files(paths: tuple[Path, ...], limits: Limits) -> Split:
    digest = key_of(limits, *(_stamp(path) for path in paths))
    return Split(lambda: (batch for path in paths for batch in _file_batches(path, limits)), digest)


def _file_batches(path: Path, limits: Limits) -> Iterator[RawRows]:
    return _parquet(path) if kind_of(path) == "parquet" else _batched(read_rows(path, limits))


def _parquet(path: Path) -> Iterator[RawRows]:
    import gzip

    from pyarrow.parquet import ParquetFile

    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
            for batch in ParquetFile(file).iter_batches(batch_size=AT_ONCE):
                yield batch.to_pylist()
    except Exception as error:
        raise explain_local(error, str(path)) from error


def _stamp(path: Path) -> tuple[object, ...]:
    """What a file's content is known by without reading all of it."""
    try:
        with path.open("rb") as file:
            told = path.stat()
            ends = file.read(_ENDS)
            file.seek(max(0, told.st_size - _ENDS))
            ends += file.read(_ENDS)
    except OSError as error:
        raise DataError(f"'{path}' can't be read: {error.strerror or error}.", fix="Check its permissions.") from error
    return str(path.resolve()), told.st_size, told.st_mtime_ns, key_of(ends)


def _of_dataset(rows: Dataset) -> Split:
    def batches() -> Iterator[RawRows]:
        plain = rows.with_format(None)
        for start in range(0, len(plain), AT_ONCE):
            columns = plain[start : start + AT_ONCE]
            yield [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    return Split(batches, key_of("dataset", rows._fingerprint) if rows.cache_files else None, rows)  # noqa: SLF001 - there is no other name for its content


def _of_list(rows: Iterable[Mapping[str, Any]]) -> Split:
    return Split(lambda: _batched(_named_by_text(row) for row in rows))


def _named_by_text(row: Mapping[str, Any]) -> dict[str, Any]:
    for column in row:
        if not isinstance(column, str):
            raise DataError(f"a column is called {shown(column)}, which is not text.", fix="Name columns with text.")
    return dict(row)


def _batched(rows: Iterator[dict[str, Any]]) -> Iterator[RawRows]:
    while batch := list(islice(rows, AT_ONCE)):
        yield batch


@contextmanager
def quiet_datasets() -> Iterator[None]:
    """Let `datasets` draw and log nothing."""
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
