"""JSON for programs: always valid, whatever numbers a run came to, and in plain ASCII."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any


def write_json(value: Mapping[str, Any], *, one_line: bool = False, depth: int | None = None) -> None:
    """Write an object to standard output.

    Args:
        value: The object; numbers that JSON does not have become null.
        one_line: Whether it has to be one line, for readers of lines.
        depth: How many layers have a line for each member, of an object that may be large; all if None.
    """
    import json

    if depth is not None:
        text = laid_out(value, depth=depth)
    else:
        text = json.dumps(_finite(value), indent=None if one_line else 2, default=str, allow_nan=False)
    sys.stdout.write(text + "\n")


def laid_out(value: Any, *, depth: int) -> str:
    """JSON whose outer objects and lists have a line for each member, and whose inner ones are on one line.

    Args:
        value: What is written; numbers that JSON does not have become null.
        depth: How many layers have a line for each member.
    """
    return _laid_out(value, depth, "\n")


def _laid_out(value: Any, depth: int, end: str) -> str:
    if not depth or not value or not isinstance(value, Mapping | list | tuple):
        return _encoded(value)
    inner = end + "  "
    if isinstance(value, Mapping):
        lines = [f"{_encoded(str(key))}: {_laid_out(each, depth - 1, inner)}" for key, each in value.items()]
        return "{" + inner + f",{inner}".join(lines) + end + "}"
    if depth == 1 and all(isinstance(each, dict) for each in value):
        # only between members does a line end, so what is encoded at once can be told apart: there may be thousands
        text = _encoded(value, ",\n")[1:-1].replace(",\n{", "\n{").replace(",\n", ", ").replace("\n", f",{inner}")
        return "[" + inner + text + end + "]"
    return "[" + inner + f",{inner}".join(_laid_out(each, depth - 1, inner) for each in value) + end + "]"


def _encoded(value: Any, separator: str = ", ") -> str:
    import json

    # one that indents would not be the one that is written in C
    encode = json.JSONEncoder(default=_plain, allow_nan=False, separators=(separator, ": ")).encode
    try:
        return encode(value)
    except ValueError:
        return encode(_finite(value))


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
