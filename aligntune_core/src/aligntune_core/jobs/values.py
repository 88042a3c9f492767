"""What is wrong with one value, from what pydantic says of it."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from aligntune_core.problem import Problem
from aligntune_core.wording import did_you_mean, shown

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def value_problem(key: str, value: object, details: ErrorDetails, wanted: str = "") -> Problem:
    """The problem of a value that can't be what its key takes.

    Args:
        key: The key.
        value: Its value.
        details: What pydantic says of it.
        wanted: What is expected, in words; worked out from the details if empty.
    """
    kind, context = details["type"], details.get("ctx", {})
    said = f"'{key}' is {shown(value)}"
    if isinstance(value, float) and not isfinite(value):
        return Problem("wrong-type", f"{said}, but a finite number is expected.", "", key)
    if kind in _BOUNDS:
        word, name = _BOUNDS[kind]
        bound = context[name]
        written = int(bound) if float(bound).is_integer() else bound
        return Problem("out-of-range", f"{said}, but must be {word} {written}.", "", key)
    if kind in _CHOICES:
        name = value if isinstance(value, str) else ""
        allowed = [part.strip(" '") for part in context["expected"].replace(" or ", ", ").split(",")]
        return Problem("not-a-choice", f"{said}, which is not a choice.", did_you_mean(name, allowed), key)
    if kind in {"value_error", "assertion_error"} and not wanted:
        return Problem("wrong-type", f"{said}, but {str(context['error']).rstrip('.')}.", "", key)
    wanted = wanted or kind_wanted(details)
    if not wanted:
        message = str(details["msg"])
        return Problem("wrong-type", f"{said}: {message[:1].lower()}{message[1:]}.", "", key)
    fix = "Write it in quotes." if wanted == "text" and not isinstance(value, list | dict) else ""
    return Problem("wrong-type", f"{said}, but {wanted} is expected.", fix, key)


def kind_wanted(details: ErrorDetails) -> str:
    """What kind of value is expected, in words; empty where the value's kind is not what is wrong with it."""
    return next((words for start, words in _KINDS.items() if details["type"].startswith(start)), "")


_BOUNDS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
_CHOICES = ("literal_error", "enum")
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "bool": "true or false",
    "string": "text",
    "dict": "a mapping",
    "model": "a mapping",
    "list": "a list",
    "tuple": "a list",
    "none": "null",
}
