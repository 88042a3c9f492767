"""One shape for all the rows of a dataset, so that a trainer may judge it by its first."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from aligntune_core.algorithms import DatasetKind
from aligntune_core.data.formats.messages import assistant, user
from aligntune_core.data.formats.rows import in_turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from aligntune_core.data.formats.messages import Message
    from aligntune_core.data.formats.rows import Row

_SPOKEN: dict[str, dict[str, Callable[[str], Message]]] = {
    DatasetKind.DEMONSTRATIONS: {"prompt": user, "completion": assistant},
    DatasetKind.PAIRS: {"prompt": user, "chosen": assistant, "rejected": assistant},
    DatasetKind.PROMPTS: {"prompt": user},
    DatasetKind.LABELLED: {"prompt": user, "completion": assistant},
}


class Shape(IntEnum):
    """What the turns of canonical rows are; the wider one is the greater."""

    TEXTS = 0
    MESSAGES = 1
    CONVERSATIONS = 2


def shape_of(rows: list[Row], kind: DatasetKind | str) -> Shape:
    """The narrowest shape that all of the rows can be given."""
    if kind is DatasetKind.DEMONSTRATIONS and any("messages" in row for row in rows):
        return Shape.CONVERSATIONS
    return Shape.MESSAGES if any(list in _types(rows, key) for key in _SPOKEN.get(kind, ())) else Shape.TEXTS


def in_shape(rows: list[Row], kind: DatasetKind | str, shape: int) -> list[Row]:
    """The rows in a shape that is theirs or a wider one; those of a plugin's own kind have one shape."""
    if kind not in _SPOKEN:
        return rows
    if shape >= Shape.MESSAGES and any(str in _types(rows, key) for key in _SPOKEN[kind]):
        rows = [_in_messages(row, _SPOKEN[kind]) for row in rows]
    return [_whole(row) for row in rows] if shape == Shape.CONVERSATIONS else rows


def _types(rows: list[Row], key: str) -> set[type]:
    return set(map(type, [row.get(key) for row in rows]))


def _in_messages(row: Row, spoken: dict[str, Callable[[str], Message]]) -> Row:
    for key in spoken:
        if isinstance(row.get(key), str):
            return row | {each: in_turns(row[each], say) for each, say in spoken.items() if each in row}
    return row


def _whole(row: Row) -> Row:
    if row.get("prompt") is None:
        return row
    rest = {key: value for key, value in row.items() if key not in ("prompt", "completion", "messages")}
    return {"messages": [*row["prompt"], *row["completion"]], **rest}
