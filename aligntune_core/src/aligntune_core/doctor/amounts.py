"""Amounts of memory and disk, as text."""

from __future__ import annotations

GIB = 2**30


def gib(amount: int | None) -> str:
    """Bytes in GiB, e.g. ``7.8 GiB``.

    Args:
        amount: Bytes; None if it is not known.
    """
    return "an unknown amount" if amount is None else f"{amount / GIB:.1f} GiB"
