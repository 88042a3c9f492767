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


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
