"""The engines' modules, which no plugin may import before it makes a trainer."""

from __future__ import annotations

import sys

ENGINES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "unsloth")
"""Modules that no plugin may import before it makes a trainer."""


def imported_engines() -> frozenset[str]:
    """The engines that this process has imported."""
    return frozenset(engine for engine in ENGINES if engine in sys.modules)
