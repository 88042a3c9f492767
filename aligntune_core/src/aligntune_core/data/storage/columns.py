"""The Arrow type that holds a column's values as they are, and the array of that type."""

from __future__ import annotations

import json
from array import array
from functools import cache
from typing import TYPE_CHECKING, Any

from aligntune_core.data.storage.exact_json import exact_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

_TURN = ("role", "content")
_encode = json.JSONEncoder().encode
_UNWRITABLE = (TypeError, ValueError, OverflowError, RecursionError)


class Unstorable(Exception):  # noqa: N818 - it is told as a DataError, with the dataset's name
    """Values that no column can hold.

    Args:
        reason: Which, and why.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def array_of(values: Sequence[Any], known: pa.DataType | None, column: str) -> pa.Array:
    """The values as an array of the type that the column has so far, or of a wider one that it needs.

    Args:
        values: The values.
        known: The column's type so far.
        column: Its name, for messages.

    Raises:
        Unstorable: If there is no such type.
    """
    import pyarrow as pa

    kinds = set(map(type, values)) - {type(None)}
    native = _natives().get(next(iter(kinds))) if len(kinds) == 1 else None
    if not kinds:
        return pa.nulls(len(values), known or pa.null())
    try:
        if native is not None and known in (None, pa.null(), native):
            return pa.array(values, native)
        if kinds == {array}:
            return _numbers(values)
        if kinds == {list} and known in (None, pa.null(), messages_type()):
            found = _messages(values)
            if found is not None:
                return found
    except (UnicodeEncodeError, OverflowError, pa.ArrowInvalid):
        pass  # half a character, or an integer of more than 64 bits: JSON holds them
    try:
        texts = [None if value is None else _encode(value) for value in values]
    except _UNWRITABLE as error:
        return _other(values, known, column, error)
    if known not in (None, pa.null()) and not _is_written(known):
        raise Unstorable(f"the column '{column}' holds {known} and {_names(kinds)}")
    return pa.ExtensionArray.from_storage(pa.json_(), pa.array(texts, pa.string()))


def with_features(schema: pa.Schema) -> pa.Schema:
    """The schema with what `datasets` has to know of it."""
    import pyarrow as pa
    from datasets import Features

    features = Features.from_arrow_schema(schema)
    features.update({field.name: exact_json() for field in schema if field.type == pa.json_()})
    return features.arrow_schema


@cache
def messages_type() -> pa.DataType:
    """The type of messages that have a role, a content and nothing else."""
    import pyarrow as pa

    return pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))


@cache
def _natives() -> dict[type, pa.DataType]:
    import pyarrow as pa

    return {str: pa.string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64()}


def _is_written(known: pa.DataType) -> bool:
    import pyarrow as pa

    return known in (*_natives().values(), messages_type(), pa.json_())


def _numbers(values: Sequence[array[int]]) -> pa.Array:
    """Arrays of 32-bit integers."""
    import pyarrow as pa

    flat, ends = array("i"), array("i", [0])
    for each in values:
        flat.extend(each)
        ends.append(len(flat))
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(flat, pa.int32()))


def _messages(values: Sequence[Any]) -> pa.Array | None:
    import pyarrow as pa

    flat = [message for messages in values if messages is not None for message in messages]
    try:
        if not set(map(tuple, flat)) <= {_TURN}:
            return None
        roles, contents = zip(*map(dict.values, flat), strict=True) if flat else ((), ())
    except TypeError:  # not all of them are objects
        return None
    if not {*map(type, roles), *map(type, contents)} <= {str}:
        return None
    offsets: list[int | None] = []
    end = 0
    for messages in values:
        offsets.append(None if messages is None else end)
        end += len(messages or ())
    texts = [pa.array(roles, pa.string()), pa.array(contents, pa.string())]
    turns = pa.StructArray.from_arrays(texts, list(_TURN))
    return pa.ListArray.from_arrays(pa.array([*offsets, end], pa.int32()), turns, type=messages_type())


def _other(values: Sequence[Any], known: pa.DataType | None, column: str, error: Exception) -> pa.Array:
    """Values that JSON does not have, such as times: one type for all of a column."""
    import pyarrow as pa

    try:
        found = pa.array(values)
    except (pa.ArrowException, *_UNWRITABLE) as other:
        why = str(other).rstrip(". ") or type(error).__name__
        raise Unstorable(f"the column '{column}' holds {_names(set(map(type, values)))} ({why})") from other
    if known in (None, pa.null()) or found.type == known:
        return found
    raise Unstorable(f"the column '{column}' holds {known} and {found.type}")


def _names(kinds: set[type]) -> str:
    return " and ".join(sorted(kind.__name__ for kind in kinds if kind is not type(None)))
