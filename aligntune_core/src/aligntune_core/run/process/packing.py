"""A job's keys as they go to another process: functions stay here under a number, rows go through a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.errors import JobError
from aligntune_core.problem import Problem
from aligntune_core.run.process.values import CannotCrossError, as_bytes, tagged, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

ROWS, FUNCTION = "rows", "function"
"""The tags of a dataset and of a function that were given in Python."""
_DATA_KEYS = ("dataset_name", "eval_dataset_name")
_WAY_OUT = "Leave out isolation, or give plain values: numbers, texts, lists and mappings."


class Packed:
    """A job's keys, JSON-ready, and what they leave in this process.

    Args:
        values: The keys. ``isolation`` is left out, since the other process is what it asks for.
        folder: Where rows are written to.

    Raises:
        JobError: If a value can't cross.
        DataError: If a dataset given in Python can't be read.
    """

    def __init__(self, values: Mapping[str, Any], folder: Path) -> None:
        self.functions: list[tuple[str, Callable[..., Any]]] = []
        self._folder = folder
        self._written: dict[int, Any] = {}
        self.job = {key: self._packed(key, value) for key, value in values.items() if key != "isolation"}

    def _packed(self, key: str, value: Any) -> Any:
        if key in _DATA_KEYS and value is not None and not isinstance(value, str) and not hasattr(value, "__fspath__"):
            if id(value) not in self._written:
                self._written[id(value)] = self._rows(key, value)
            return self._written[id(value)]
        try:
            return to_json(value, key, self._function if key == "reward_functions" else None)
        except CannotCrossError as error:
            raise _cannot_cross(error.place, error.kind, key) from error
        except RecursionError as error:
            raise _cannot_cross(key, type(value), key) from error

    def _function(self, value: Any) -> Any:
        if not callable(value):
            return None
        from aligntune_core.rewards.function import name_of

        self.functions.append((name_of(value), value))
        return tagged(FUNCTION, {"number": len(self.functions) - 1, "name": name_of(value)})

    def _rows(self, key: str, value: Any) -> Any:
        from aligntune_core.data.given import batches_of

        files: dict[str, str] = {}
        for split, batches in batches_of(value).items():
            file = self._folder / f"{key}-{len(files)}.jsonl"
            with file.open("wb") as opened:
                for number, row in enumerate((row for batch in batches() for row in batch), 1):
                    try:
                        opened.write(as_bytes(to_json(dict(row))))
                    except CannotCrossError as error:
                        place = f"'{error.place}' of row {number} of '{key}'"
                        raise _cannot_cross(place, error.kind, key) from error
            files[split] = str(file)
        return tagged(ROWS, {"kind": type(value).__name__, "files": files})


def _cannot_cross(place: str, kind: type, key: str) -> JobError:
    what = place if place.startswith("'") else f"'{place}'"
    message = f"{what} is of type {kind.__name__}, which can't be given to another process."
    return JobError([Problem("other-process", message, _WAY_OUT, key)])
