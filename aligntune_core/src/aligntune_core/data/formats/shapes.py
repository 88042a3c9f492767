"""One shape for all the rows of a dataset, so that a trainer may judge it by its first."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from aligntune_core.algorithms import DatasetKind
from aligntune_core.data.formats.messages import assistant, user
from aligntune_core.data.formats.rows import in_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aligntune_core.data.formats.messages import Message
    from aligntune_core.data.formats.rows import Row

_SPOKEN: dict[DatasetKind, dict[str, Callable[[str], Message]]] = {
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


def shape_of(rows: Iterable[Row], kind: DatasetKind) -> Shape:
    """The narrowest shape that all of the rows can be given."""
    spoken = _SPOKEN[kind]
    widest = Shape.CONVERSATIONS if kind is DatasetKind.DEMONSTRATIONS else Shape.MESSAGES
    found = Shape.TEXTS
    for row in rows:
        if widest is Shape.CONVERSATIONS and "messages" in row:
            return widest
        if found is Shape.TEXTS and any(isinstance(row.get(key), list) for key in spoken):
            found = Shape.MESSAGES
            if found is widest:
                return found
    return found


def in_shape(rows: list[Row], kind: DatasetKind, shape: int) -> list[Row]:
    """The rows in a shape that is theirs or a wider one."""
    if shape >= Shape.MESSAGES:
        rows = [_in_messages(row, _SPOKEN[kind]) for row in rows]
    return [_whole(row) for row in rows] if shape == Shape.CONVERSATIONS else rows


def one_shape(rows: list[Row], kind: DatasetKind) -> list[Row]:
    """The same canonical rows in one shape.

    Texts become messages if any row has messages; demonstrations become whole conversations if any row is one.
    """
    return in_shape(rows, kind, shape_of(rows, kind))


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
