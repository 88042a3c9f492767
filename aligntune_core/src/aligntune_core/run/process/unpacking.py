"""A job's keys as they came from another process: functions that are called there, and rows from a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import RewardError
from aligntune_core.run.process.packing import FUNCTION, ROWS
from aligntune_core.run.process.values import CannotCrossError, from_json, of_bytes, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aligntune_core.run.process.values import Special

_AT_ONCE = 1000


def unpacked(job: Mapping[str, Any], call: Callable[..., Any], special: Special) -> dict[str, Any]:
    """A job's keys, with stand-ins for the functions that stay in the other process.

    Args:
        job: What came.
        call: Calls the other process.
        special: What writes values of an engine that have no form of their own.
    """

    def function(of: dict[str, Any]) -> StandIn:
        return StandIn(of["number"], of["name"], call, special)

    readers = {FUNCTION: function, ROWS: _rows}
    return {key: from_json(value, readers) for key, value in job.items()}


class StandIn:
    """A reward function that stays in the other process, under its name there.

    Args:
        number: Its number.
        name: Its name.
        call: Calls the other process.
        special: What writes values of an engine that have no form of their own.
    """

    def __init__(self, number: int, name: str, call: Callable[..., Any], special: Special) -> None:
        self.name = self.__name__ = name
        self._number, self._call, self._special = number, call, special

    def __call__(self, prompts: Any, completions: Any, **columns: Any) -> Any:
        """What the function returns; what it raises is raised here.

        An engine's own objects among the columns, which can't cross, are left out.
        """
        given = {"prompts": self._turns("prompts", prompts), "completions": self._turns("completions", completions)}
        given["columns"] = {name: written for name, value in columns.items() if (written := self._column(value))}
        return self._call("score", function=self._number, **given)

    def _turns(self, name: str, turns: Any) -> Any:
        try:
            return to_json(turns, name)
        except CannotCrossError as error:
            raise RewardError(
                f"reward function '{self.name}' is given '{error.place}' of type {error.kind.__name__}, which can't "
                "be given to another process.",
                fix="Name the function as file.py:function: it is called in the engine's process then.",
            ) from error

    def _column(self, value: Any) -> list[Any]:
        try:
            return [to_json(value, special=self._special)]
        except CannotCrossError:
            return []

    def __repr__(self) -> str:
        return f"<reward function {self.name} of another process>"


def _rows(of: Mapping[str, Any]) -> Any:
    from aligntune_core.data.given import rows_of_kind

    files = {split: Path(file) for split, file in of["files"].items()}
    try:
        return rows_of_kind(of["kind"], {split: partial(_batches, file) for split, file in files.items()})
    finally:
        for file in files.values():
            file.unlink(missing_ok=True)


def _batches(file: Path) -> Iterator[list[dict[str, Any]]]:
    with file.open("rb") as opened:
        rows: list[dict[str, Any]] = []
        for line in opened:
            rows.append(from_json(of_bytes(line)))
            if len(rows) == _AT_ONCE:
                yield rows
                rows = []
        yield rows
