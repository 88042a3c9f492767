"""A value in a message: on one line, short, and whatever it is."""

from __future__ import annotations

from reprlib import Repr


def shown(value: object) -> str:
    """How a message shows a value: its repr, cut in the middle where it is long, or its type where it has none."""
    try:
        return _SHORT.repr(value)
    except Exception:
        return f"of type {type(value).__name__}"


_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80
_SHORT.maxlevel = 2
