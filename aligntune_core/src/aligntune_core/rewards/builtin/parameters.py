"""Checks of the parameters that built-in reward functions are given."""

from __future__ import annotations

from typing import Any

from aligntune_core.errors import RewardError
from aligntune_core.wording import shown


def expect_text(function: str, parameter: str, value: Any) -> None:
    """Refuse a value that is not a text with something in it."""
    if not isinstance(value, str) or not value.strip():
        raise RewardError(f"reward function '{function}' needs a text for '{parameter}', not {shown(value)}.")


def expect_flag(function: str, parameter: str, value: Any) -> None:
    """Refuse a value other than True and False."""
    if not isinstance(value, bool):
        raise RewardError(f"reward function '{function}' needs True or False for '{parameter}', not {shown(value)}.")


def expect_count(function: str, parameter: str, value: Any) -> None:
    """Refuse a value that is not a whole number above zero."""
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise RewardError(
            f"reward function '{function}' needs a whole number above 0 for '{parameter}', not {shown(value)}."
        )


def expect_not_negative(function: str, parameter: str, value: Any) -> None:
    """Refuse a value that is not a finite number from zero up."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise RewardError(
            f"reward function '{function}' needs a finite number from 0 up for '{parameter}', not {shown(value)}."
        )
