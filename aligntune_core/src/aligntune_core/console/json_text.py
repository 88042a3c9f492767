"""JSON for programs: always valid, whatever numbers a run came to, and in plain ASCII."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any


def write_json(value: Mapping[str, Any], *, one_line: bool = False) -> None:
    """Write an object to standard output.

    Args:
        value: The object; numbers that JSON does not have become null.
        one_line: Whether it has to be one line, for readers of lines.
    """
    import json

    text = json.dumps(_finite(value), indent=None if one_line else 2, default=str, allow_nan=False)
    sys.stdout.write(text + "\n")


def laid_out(value: Any, *, depth: int) -> str:
    """JSON whose outer objects and lists have a line for each member, and whose inner ones are on one line.

    Args:
        value: What is written; numbers that JSON does not have become null.
        depth: How many layers have a line for each member.
    """
    import json

    def text(value: Any, depth: int, indent: str) -> str:
        if not depth or not value or not isinstance(value, dict | list):
            return json.dumps(value, default=str, allow_nan=False)
        inner = indent + "  "
        if isinstance(value, dict):
            lines = [f"{json.dumps(key)}: {text(each, depth - 1, inner)}" for key, each in value.items()]
        else:
            lines = [text(each, depth - 1, inner) for each in value]
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        return f"{opening}\n{inner}" + f",\n{inner}".join(lines) + f"\n{indent}{closing}"

    return text(_finite(value), depth, "")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
