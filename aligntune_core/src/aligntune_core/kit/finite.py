"""Figures that are infinite or not a number end a run."""

from __future__ import annotations

import math

from aligntune_core.errors import RunError

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
