"""Paths of data: whether a name means one, which kind it is, and which files a folder holds."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import DataError
from aligntune_core.machine.regular_file import special_kind
from aligntune_core.wording import closest, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = {
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".txt": "text",
}
"""The kind of a data file by its suffix, before .gz if it has that."""

SAVED, SAVED_SPLITS = "saved dataset", "saved dataset with splits"
_KNOWN = "json, jsonl, csv, tsv, parquet, txt, and each of these with .gz"

_DESCRIPTIONS = ("dataset_info.json", "dataset_infos.json")
_MOST_ENTRIES, _MOST_NEIGHBOURS = 100_000, 10_000


def not_a_file(path: Path | str, kind: str) -> DataError:
    """The error of what is named like a data file and is something that may never end."""
    return DataError(
        f"'{path}' is {kind}, which may never end, and not a file.", fix="Write the rows into a file and name that."
    )


@dataclass(frozen=True, slots=True)
class LocalData:
    """A dataset on this machine.

    Args:
        path: The file or folder.
        kind: json, csv, tsv, parquet or text; or a dataset that `save_to_disk` wrote.
        files: The data files, sorted; of a saved dataset none.
    """

    path: Path
    kind: str
    files: tuple[Path, ...] = ()

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of data files, whose names may tell splits apart."""
        return self.files != (self.path,) and not self.is_saved

    @property
    def is_saved(self) -> bool:
        """Whether `save_to_disk` wrote it."""
        return self.kind in (SAVED, SAVED_SPLITS)


def kind_of(path: Path) -> str | None:
    """The kind of a data file, by its suffix."""
    name = path.name.lower().removesuffix(".gz")
    return KINDS.get(Path(name).suffix)


def is_local(name: str) -> bool:
    """Whether a dataset's name means something on this machine and not on the hub."""
    if name.startswith("builtin:"):
        return False
    if name.startswith(("/", "./", "../", "~")) or name in (".", "..") or kind_of(Path(name)):
        return True
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False


def locate(name: str) -> LocalData:
    """What a local name stands for.

    Raises:
        DataError: If there is nothing of that name, or nothing in it that can be read.
    """
    try:
        return _found(Path(name).expanduser(), name)
    except (OSError, RuntimeError) as error:  # a name too long, a folder that may not be entered; a home of nobody
        reason = getattr(error, "strerror", None) or str(error)
        message = f"{shown(name)} can't be looked into: {reason.rstrip('.')}."
        raise DataError(message, fix="Check the path.") from error


def _found(path: Path, name: str) -> LocalData:
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise DataError(f"there is no file or folder '{name}'.", fix=_near(path))
    kind = kind_of(path)
    special = special_kind(path)
    if special:
        raise not_a_file(name, special)
    if kind is None:
        raise DataError(f"'{name}' is of no known kind of data file.", fix=f"Known: {_KNOWN}.")
    return LocalData(path, kind, (path,))


def _folder(path: Path) -> LocalData:
    if (path / "dataset_dict.json").exists():
        return LocalData(path, SAVED_SPLITS)
    if (path / "state.json").exists() and (path / "dataset_info.json").exists():
        return LocalData(path, SAVED)
    found = sorted(_files(path))
    kinds = sorted({kind_of(file) or "" for file in found})
    if not found:
        raise DataError(f"the folder '{path}' holds no data files.", fix=f"Known: {_KNOWN}.")
    if len(kinds) > 1:
        raise DataError(
            f"the folder '{path}' holds data files of several kinds: {', '.join(kinds)}.",
            fix="Name one file, or keep one kind to a folder.",
        )
    return LocalData(path, kinds[0], tuple(found))


def _files(folder: Path) -> Iterator[Path]:
    """The data files in a folder and those below it, but for hidden ones."""
    folders, seen = [folder], 0
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                seen += 1
                if seen > _MOST_ENTRIES:
                    raise DataError(
                        f"the folder '{folder}' holds more than {_MOST_ENTRIES:,} files and folders, too many to look "
                        "through for data.",
                        fix="Name the folder in it that holds the data files, or one file.",
                    )
                if entry.name.startswith((".", "__")):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif kind_of(Path(entry.name)) and entry.name not in _DESCRIPTIONS and _is_data(Path(entry.path)):
                    yield Path(entry.path)


def _is_data(path: Path) -> bool:
    special = special_kind(path) if path.exists() else None
    if special:
        raise not_a_file(path, special)
    return path.is_file()


def _near(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"The folder '{folder}' isn't there either; the working directory is '{Path.cwd()}'."
    entries = islice(folder.iterdir(), _MOST_NEIGHBOURS)
    names = [entry.name for entry in entries if entry.is_dir() or kind_of(entry)]
    match = closest(path.name, names)
    if match:
        return f"Did you mean '{folder / match}'?"
    return f"In '{folder}' there are: {', '.join(sorted(names)[:10])}." if names else f"'{folder}' holds no data files."


def eval_split(evaluated: Any, trained: Any) -> str | None:
    """The split that is evaluated where the job names none.

    Args:
        evaluated: The evaluation data, as the job gives it.
        trained: The training data.

    Raises:
        DataError: If it would be the rows that are trained on.
    """
    if not isinstance(evaluated, str):
        return "test" if isinstance(evaluated, dict) else None
    if evaluated.startswith("builtin:") or not is_local(evaluated):
        return "test"
    found = locate(evaluated)
    if found.kind != SAVED and (found.is_folder or found.is_saved):
        return "test"
    if isinstance(trained, str) and is_local(trained) and locate(trained).path.resolve() == found.path.resolve():
        raise DataError(
            f"'{evaluated}' would be evaluated on the very rows that are trained on.",
            fix="Name another file, or splits of this one: dataset_split: 'train[:90%]' and "
            "eval_dataset_split: 'train[90%:]'.",
        )
    return "train"
