"""Figures of a run: plain numbers, of which one that is infinite or not a number ends it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Mapping

DIVERGED_FIX = "Lower learning_rate or max_grad_norm, or set precision to bf16 or fp32."
"""What to do about a run that diverged."""


def require_finite(name: str, value: float, step: int) -> None:
    """Refuse a figure that is infinite or not a number.

    Args:
        name: What it is called.
        value: The figure.
        step: The step that it is of.

    Raises:
        RunError: If it is not finite.
    """
    if not math.isfinite(value):
        raise RunError(f"Training diverged: '{name}' is {value} at step {step}.", fix=DIVERGED_FIX)


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Those of the values that are numbers, as plain floats: what an engine logged, as an event takes it."""
    return {
        name: float(value) for name, value in values.items() if isinstance(value, int | float) or hasattr(value, "item")
    }
