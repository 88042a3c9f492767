"""Values as JSON and back, unchanged: what can cross between two processes, and what can't."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from aligntune_core import events
from aligntune_core.check.examination import Examination, Lengths, Span, Trial
from aligntune_core.plan import Plan
from aligntune_core.problem import Problem
from aligntune_core.trainer import TrainResult

Special = Callable[[Any], Any]
"""What turns a value that has no form of its own into JSON-ready ones; gives None for what it does not know either."""
Readers = Mapping[str, Callable[[Any], Any]]
"""By tag, what makes a value of the JSON-ready one that a ``Special`` wrote."""

TAG, OF = "$", "of"
_LONGEST = 2000
"""Bits of a whole number that is written in digits: Python may be told to refuse texts of more than 640 of them."""


class CannotCrossError(TypeError):
    """A value that has no form as JSON.

    Args:
        place: Where in the whole it is, e.g. ``backend_args.callbacks[0]``; empty for the whole.
        kind: Its type.
    """

    def __init__(self, place: str, kind: type) -> None:
        super().__init__(f"{place or 'a value'} is of type {kind.__name__}")
        self.place = place
        self.kind = kind


def as_bytes(frame: Mapping[str, Any]) -> bytes:
    """A mapping of JSON-ready values as one line, its end included."""
    # as text and not as escapes: two escaped halves of a character would be read as the one character
    text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass") + b"\n"


def of_bytes(line: bytes) -> Any:
    """What :func:`as_bytes` wrote as one line.

    Raises:
        ValueError: If it is no such line.
    """
    return json.loads(line.decode("utf-8", "surrogatepass"))


def to_json(value: Any, place: str = "", special: Special | None = None) -> Any:
    """A value as JSON-ready ones.

    Numbers, texts, containers, paths, bytes, events, problems and results cross; of what inherits from them, what it
    inherits.

    Args:
        value: The value.
        place: What it is called in an error.
        special: What writes values that have no form of their own.

    Raises:
        CannotCrossError: If it, or something in it, is of another type.
    """
    if value is None or isinstance(value, bool | float | str):
        return value
    if isinstance(value, int):
        return value if value.bit_length() <= _LONGEST else tagged("int", hex(value))
    if isinstance(value, Mapping):
        return _mapping(value, place, special)
    if isinstance(value, list):
        return [to_json(each, f"{place}[{index}]", special) for index, each in enumerate(value)]
    for tag, (kind, write, _) in _KINDS.items():
        if isinstance(value, kind):
            return tagged(tag, write(value, place, special))
    name = next((each.__name__ for each in type(value).__mro__ if _VALUES.get(each.__name__) is each), "")
    if name:
        kept = {each.name: getattr(value, each.name) for each in fields(_VALUES[name])}
        return tagged(name, {key: to_json(each, f"{place}.{key}", special) for key, each in kept.items()})
    written = special(value) if special else None
    if written is None:
        raise CannotCrossError(place, type(value))
    return written


def from_json(written: Any, readers: Readers | None = None) -> Any:
    """The value that :func:`to_json` wrote.

    Args:
        written: JSON-ready values.
        readers: What reads those that a ``Special`` wrote.

    Raises:
        ValueError: If it is of no type that is known here.
    """
    if isinstance(written, list):
        return [from_json(each, readers) for each in written]
    if not isinstance(written, dict):
        return written
    if TAG not in written:
        return {key: from_json(each, readers) for key, each in written.items()}
    tag, of = written[TAG], written[OF]
    if readers and tag in readers:
        return readers[tag](of)
    if tag == "int":
        return int(of, 16)
    if tag == "dict":
        return {from_json(key, readers): from_json(each, readers) for key, each in of}
    if tag in _KINDS:
        return _KINDS[tag][2](of, readers)
    if tag in _VALUES:
        return _VALUES[tag](**{key: from_json(each, readers) for key, each in of.items()})
    raise ValueError(f"there is no value of the kind {tag!r}")


def tagged(tag: str, of: Any) -> dict[str, Any]:
    """JSON-ready values under the name of what they are."""
    return {TAG: tag, OF: of}


def _mapping(value: Mapping[Any, Any], place: str, special: Special | None) -> dict[str, Any]:
    if all(isinstance(key, str) for key in value) and TAG not in value:
        start = f"{place}." if place else ""
        return {key: to_json(each, f"{start}{key}", special) for key, each in value.items()}
    pairs = [
        [to_json(key, f"a key of {place}", special), to_json(each, f"{place}[{key!r}]", special)]
        for key, each in value.items()
    ]
    return tagged("dict", pairs)


def _items(value: Any, place: str, special: Special | None) -> list[Any]:
    return [to_json(each, f"{place}[{index}]", special) for index, each in enumerate(value)]


_Kind = tuple[type, Callable[[Any, str, Special | None], Any], Callable[[Any, Readers | None], Any]]
_KINDS: dict[str, _Kind] = {
    "tuple": (tuple, _items, lambda of, readers: tuple(from_json(of, readers))),
    "set": (set, _items, lambda of, readers: set(from_json(of, readers))),
    "frozenset": (frozenset, _items, lambda of, readers: frozenset(from_json(of, readers))),
    "bytes": (bytes, lambda value, *_: b64encode(value).decode(), lambda of, _: b64decode(of)),
    "path": (Path, lambda value, *_: str(value), lambda of, _: Path(of)),
}
"""By tag, a type that JSON does not have, and how it is written and read."""

_EVENTS = (
    *(events.Decided, events.DataReady, events.Notice, events.Started, events.Stepped, events.Evaluated),
    *(events.CheckpointSaved, events.Finished, events.Saved),
)
_FOUND = (Examination, Lengths, Plan, Span, Trial)
_VALUES: dict[str, Any] = {kind.__name__: kind for kind in (*_EVENTS, *_FOUND, Problem, TrainResult)}
