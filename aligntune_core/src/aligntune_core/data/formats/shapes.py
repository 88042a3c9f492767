"""One shape for all the rows of a dataset, so that a trainer may judge it by its first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.algorithms import DatasetKind
from aligntune_core.data.formats.messages import assistant, user
from aligntune_core.data.formats.rows import in_turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from aligntune_core.data.formats.messages import Message
    from aligntune_core.data.formats.rows import Row

_SPOKEN: dict[DatasetKind, dict[str, Callable[[str], Message]]] = {
    DatasetKind.DEMONSTRATIONS: {"prompt": user, "completion": assistant},
    DatasetKind.PAIRS: {"prompt": user, "chosen": assistant, "rejected": assistant},
    DatasetKind.PROMPTS: {"prompt": user},
    DatasetKind.LABELLED: {"prompt": user, "completion": assistant},
}


def one_shape(rows: list[Row], kind: DatasetKind) -> list[Row]:
    """The same canonical rows in one shape.

    Texts become messages if any row has messages; demonstrations become whole conversations if any row is one.
    """
    spoken = _SPOKEN[kind]
    is_chat = kind is DatasetKind.DEMONSTRATIONS and any("messages" in row for row in rows)
    if is_chat or any(isinstance(row.get(key), list) for row in rows for key in spoken):
        rows = [_in_messages(row, spoken) for row in rows]
    if is_chat:
        rows = [_whole(row) for row in rows]
    return rows


def same_columns(rows: list[Row]) -> list[Row]:
    """The same rows, each with every column that any of them has; None where a row lacks it."""
    columns = dict.fromkeys(key for row in rows for key in row)
    return [row if len(row) == len(columns) else {key: row.get(key) for key in columns} for row in rows]


def _in_messages(row: Row, spoken: dict[str, Callable[[str], Message]]) -> Row:
    turns = {key: in_turns(row[key], say) for key, say in spoken.items() if isinstance(row.get(key), str)}
    return {**row, **turns} if turns else row


def _whole(row: Row) -> Row:
    if "prompt" not in row:
        return row
    rest = {key: value for key, value in row.items() if key not in ("prompt", "completion")}
    return {"messages": [*row["prompt"], *row["completion"]], **rest}
