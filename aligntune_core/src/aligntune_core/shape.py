"""Whether the fields of a value that a backend made hold what their types say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from aligntune_core.wording import shown


def is_number(value: object) -> bool:
    """Whether a value is a plain number: no text, no truth value, and nothing of an engine's."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


_PLAIN: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "int": ("a whole number, 0 or more", _is_count),
    "int | None": ("a whole number, 0 or more, or None", lambda value: value is None or _is_count(value)),
    "float": ("a plain number", is_number),
    "float | None": ("a plain number or None", lambda value: value is None or is_number(value)),
    "str": ("text", lambda value: isinstance(value, str)),
    "bool": ("true or false", lambda value: isinstance(value, bool)),
}
_INSIDE = {"Mapping[str, float]": "float", "Mapping[str, int]": "int", "Mapping[str, str]": "str"}


def wrong_field(value: Any) -> str:
    """The first field of a dataclass's instance that doesn't hold what it is declared to, in words; else nothing.

    Args:
        value: The instance. Fields of types that are not known here may hold anything.
    """
    for field in fields(value):
        given, declared = getattr(value, field.name, None), str(field.type)
        if declared.startswith("Mapping["):
            fault = wrong_entry(field.name, given, _INSIDE.get(declared))
        elif declared in _PLAIN:
            fault = _wrong(field.name, given, declared)
        else:
            fault = ""
        if fault:
            return fault
    return ""


def wrong_entry(name: str, given: object, inside: str | None = "float") -> str:
    """What is wrong with a mapping from names to values of one type, in words; else nothing.

    Args:
        name: What the mapping is called.
        given: What is given for it.
        inside: The type of its values, as an annotation has it; None for any.
    """
    if not isinstance(given, Mapping):
        return f"its '{name}' is {shown(given)}, not a mapping"
    for key, value in given.items():
        if not isinstance(key, str):
            return f"its '{name}' has the key {shown(key)}, which is no text"
        if inside and (fault := _wrong(f"{name}[{key!r}]", value, inside)):
            return fault
    return ""


def _wrong(name: str, value: object, declared: str) -> str:
    wanted, is_right = _PLAIN[declared]
    quoted = name if "[" in name else f"'{name}'"
    return "" if is_right(value) else f"its {quoted} is {shown(value)} of type {type(value).__name__}, not {wanted}"
