"""What a plugin declares, in plain values: no class of its own answers for them afterwards, and texts are one line."""

from __future__ import annotations

import sys
from dataclasses import fields
from enum import Enum
from functools import cache
from operator import is_
from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import Algorithm
from aligntune_core.capabilities import BackendInfo, Capability, Feature, ImportOrder, NamedReward
from aligntune_core.wording import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

_KINDS = (Capability, BackendInfo, Algorithm, ImportOrder, NamedReward)
_PLAIN_FEATURES = frozenset({Feature, str})
_LONG = 200


def plain(value: Any) -> Any:
    """The same declaration in plain values.

    Args:
        value: A value of the contract, or one that such a value holds.
    """
    if type(value) is str:
        return one_line(value)
    if type(value) is Capability and _is_plain_row(value):
        return value
    if isinstance(value, str):
        # a name that is a class of its own may say that it equals any other
        is_word = isinstance(value, Enum) and type(value).__module__.startswith("aligntune_core.")
        return value if is_word else one_line(str.__str__(value))
    if isinstance(value, tuple | list):
        return _plain_items(tuple, value, _items(value))
    if isinstance(value, frozenset):
        return _plain_items(frozenset, value, frozenset.__iter__(value))
    # what nobody has imported yet is no value's class
    problems = sys.modules.get("aligntune_core.problem")
    for kind in (*_KINDS, problems.Problem) if problems else _KINDS:
        if isinstance(value, kind):
            return _plain_fields(kind, value)
    return value


def _plain_items(kind: Any, value: Any, items: Iterable[Any]) -> Any:
    given = list(items)
    own = [plain(each) for each in given]
    # the same where nothing had to change, so that what holds it need not be made anew
    return value if type(value) is kind and all(map(is_, own, given)) else kind(own)


def _plain_fields(kind: Any, value: Any) -> Any:
    given = {name: getattr(value, name) for name in _names(kind)}
    own = {name: plain(each) for name, each in given.items()}
    if type(value) is kind and all(own[name] is each for name, each in given.items()):
        return value
    return kind(**own)


def _is_plain_row(row: Capability) -> bool:
    """Whether a row holds nothing but plain values already; most do, and there may be thousands."""
    note = row.note
    return (
        type(row.algorithm) is str
        and type(note) is str
        and len(note) < _LONG
        and note.isprintable()
        and _PLAIN_FEATURES.issuperset(map(type, row.features))
    )


def _items(value: Any) -> Iterable[Any]:
    return tuple.__iter__(value) if isinstance(value, tuple) else list.__iter__(value)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
