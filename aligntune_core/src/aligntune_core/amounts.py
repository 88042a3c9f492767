"""Amounts of memory and disk, as text."""

from __future__ import annotations

GIB = 2**30


def gib(amount: int | None) -> str:
    """Bytes in GiB, e.g. ``7.8 GiB``.

    Args:
        amount: Bytes; None if it is not known.
    """
    return "an unknown amount" if amount is None else f"{amount / GIB:.1f} GiB"


def size(amount: float) -> str:
    """Bytes in the unit that suits them, e.g. ``1.5 MiB``.

    Args:
        amount: Bytes.
    """
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.3g} {unit}"
        amount /= 1024
    return f"{amount:.3g} TiB"
