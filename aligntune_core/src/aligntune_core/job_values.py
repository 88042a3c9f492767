"""The values that job keys take: how each is read, what is refused of it, and how it is written as JSON."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from aligntune_core.wording import closest, shown


def _contained(validator: Callable[[object], object]) -> Callable[[object], object]:
    """The same validator, for which an object that fails when it is looked at is a wrong value like others."""

    def validate(value: object) -> object:
        try:
            return validator(value)
        except ValueError:
            raise
        except Exception as error:
            raise ValueError(f"it fails when it is looked at ({type(error).__name__})") from error

    return validate


def _refuse_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a number is expected, not true or false")
    return value


def _whole(value: object) -> object:
    # YAML reads 1e3 as text
    if isinstance(value, str) and "e" in value.lower():
        try:
            return float(value)
        except ValueError:
            return value
    return _refuse_bool(value)


@_contained
def _text(value: object) -> object:
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        if not value.strip():
            raise ValueError("it may not be empty")
        if "\0" in value or not _is_unicode(value):
            raise ValueError("it holds a character that no name can hold")
    return value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@_contained
def _rows(value: object) -> object:
    value = _text(value)
    could_be_rows = hasattr(value, "__iter__") or hasattr(value, "__getitem__")
    if not could_be_rows or type(value) in {bytes, bytearray, dict} or isinstance(value, type):
        raise ValueError("it has to be a name, a path, a datasets.Dataset or a list of rows")
    return value


def _listed(value: object) -> object:
    if isinstance(value, Iterator):
        raise ValueError("it can be read only once: give a list")
    return [value] if isinstance(value, str) or callable(value) else value


def not_empty(value: list[str]) -> list[str]:
    """The list, if there is anything in it."""
    if not value:
        raise ValueError("it may not be empty")
    return value


def own(value: Any, depth: int = 0) -> Any:
    """The value in containers of its own, so that the job does not change with the caller's."""
    if depth > _DEEPEST:
        raise ValueError("it is nested too deeply or holds itself")
    if type(value) is dict:
        return {key: own(item, depth + 1) for key, item in value.items()}
    if type(value) in {list, tuple}:
        return type(value)(own(item, depth + 1) for item in value)
    return value


def own_or_same(value: Any) -> Any:
    """The same; of what is nested too deeply, the value itself."""
    try:
        return own(value)
    except ValueError:  # whoever brings the key says what is wrong with its value
        return value


@_contained
def _limits(value: object) -> object:
    """Limits of data with their sizes as numbers of bytes."""
    if not isinstance(value, Mapping):
        return value
    return {_limit_name(name): _limit(name, given) for name, given in value.items() if given is not None}


def _limit_name(name: object) -> str:
    if name in DATA_LIMITS:
        return str(name)
    match = closest(name, DATA_LIMITS) if isinstance(name, str) else None
    hint = f"did you mean '{match}'?" if match else f"there are {', '.join(DATA_LIMITS)}"
    raise ValueError(f"there is no limit {shown(name)} ({hint})")


def _limit(name: str, given: object) -> int:
    amount = _size(given) if isinstance(given, str) else _refuse_bool(given)
    wanted = DATA_LIMITS[name]
    if not isinstance(amount, int | float) or not math.isfinite(amount) or amount != int(amount):
        raise ValueError(f"'{name}' has to be {wanted}, not {shown(given)}")
    if not 1 <= amount <= _LARGEST:
        raise ValueError(f"'{name}' has to be at least 1 and at most {_LARGEST}, not {shown(given)}")
    return int(amount)


def _size(text: str) -> float | None:
    found = re.fullmatch(r"\s*(\d{1,20}(?:\.\d{1,6})?(?:e\d{1,2})?)\s*([a-z]*)\s*", text.lower())
    if found is None or found[2] not in _UNITS:
        return None
    return float(int(float(found[1]) * _UNITS[found[2]]))


DATA_LIMITS = {
    "row": "a number of bytes or a size like 64MiB",
    "file": "a number of bytes or a size like 100GiB",
    "expansion": "a whole number",
}
"""The limits that ``data_limits`` may set, and what each is."""

_UNITS = {"": 1, "b": 1} | {
    f"{letter}{end}": base**power
    for power, letter in enumerate("kmgt", start=1)
    for end, base in (("b", 1000), ("ib", 1024))
}
_LARGEST = 2**50
_DEEPEST = 32
_MOST = 2**31 - 1

Count = Annotated[int, BeforeValidator(_whole), Field(gt=0, le=_MOST)]
Several = Annotated[int, BeforeValidator(_whole), Field(gt=1, le=_MOST)]
Ordinal = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=_MOST)]
Positive = Annotated[float, BeforeValidator(_refuse_bool), Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, BeforeValidator(_refuse_bool), Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, BeforeValidator(_refuse_bool), Field(ge=0, lt=1, allow_inf_nan=False)]
Text = Annotated[str, BeforeValidator(_text)]
Texts = Annotated[list[Text], BeforeValidator(_listed)]
Rows = Annotated[Any, BeforeValidator(_rows), WithJsonSchema({"type": "string"})]
_SIZE = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]}
DataLimits = Annotated[
    dict[str, int],
    BeforeValidator(_limits),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {"row": _SIZE, "file": _SIZE, "expansion": {"type": "integer", "minimum": 1}},
            "additionalProperties": False,
        }
    ),
]
RewardFunctions = Annotated[
    list[Text | Callable[..., Any]] | dict[Text, float],
    BeforeValidator(_listed),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": {"type": "number"}},
            ]
        }
    ),
]


def plain_json(value: object, depth: int = 0) -> Any:
    """The value as JSON has it; what can't be written as JSON is described in words."""
    try:
        return _as_json(value, depth)
    except Exception:  # an object of the user's own that fails when it is looked at
        return f"<{type(value).__name__}>"


def _as_json(value: object, depth: int) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | float | str):
        return value
    if isinstance(value, int) and value.bit_length() <= 1024:
        return value
    if isinstance(value, Mapping) and depth <= _DEEPEST:
        return {str(key): plain_json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple) and len(value) <= 100 and depth <= _DEEPEST:
        return [plain_json(item, depth + 1) for item in value]
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}:{value.__qualname__}"
    rows = f" of {len(value)} rows" if hasattr(value, "__len__") else ""
    return f"<{type(value).__name__}{rows}>"
