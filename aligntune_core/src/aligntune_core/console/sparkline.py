"""A row of figures as a row of blocks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN_BLOCKS = "_.-=oO#@"


def sparkline(values: Sequence[float], *, width: int = 40, symbols: bool = True) -> str:
    """A text with a block for each value, higher for more.

    Args:
        values: The figures, oldest first; those that aren't numbers show as ``!``.
        width: Blocks at most; neighbouring figures are averaged to fit.
        symbols: Whether block characters can be shown; ASCII is used if not.
    """
    blocks = BLOCKS if symbols else PLAIN_BLOCKS
    means = [sum(part) / len(part) for part in _parts(values, min(width, len(values)))]
    finite = [value for value in means if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    scale = (len(blocks) - 1) / (high - low) if high > low else 0.0
    return "".join(blocks[round((value - low) * scale)] if math.isfinite(value) else "!" for value in means)


def _parts(values: Sequence[float], count: int) -> list[Sequence[float]]:
    return [values[index * len(values) // count : (index + 1) * len(values) // count] for index in range(count)]
