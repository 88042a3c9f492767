"""What stops every job of this backend, found without importing TRL."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aligntune_core import Problem
from aligntune_core.backends.installed import installed_version
from aligntune_core.machine.devices import device
from aligntune_trl.translation.recipes import RECIPES

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLASSES = tuple(dict.fromkeys(recipe.trainer for recipe in RECIPES.values() if not recipe.is_own))
_FRESH = "Use a fresh process: isolation='process' starts one, and `aligntune train` is one."


def environment_problems() -> Iterator[Problem]:
    """What stops every job of this backend, in this process or in this environment."""
    yield from process_problems()
    yield from version_problems()


def process_problems() -> Iterator[Problem]:
    """What was rewritten in this process, so that TRL is not TRL any more."""
    trl = sys.modules.get("trl")
    patched = []
    for name in _CLASSES:
        found = vars(trl).get(name) if trl else None
        if isinstance(found, type) and not found.__module__.startswith("trl."):
            patched.append(f"trl.{name} is now from '{found.__module__}'")
    why = []
    if "unsloth" in sys.modules:
        why.append("unsloth was imported in it, which rewrites TRL's classes")
    if patched:
        why.append("; ".join(patched))
    if why:
        message = f"backend 'trl' can't run in this process: {': '.join(why)}."
        yield Problem("process-patched", message, _FRESH, "backend")


def version_problems() -> Iterator[Problem]:
    """What is installed in a version that can't train here."""
    found = installed_version("trl") or ""
    if found.startswith("1.15.") and device() == "cpu":
        yield Problem(
            "engine-version",
            f"trl {found} can't train on a CPU: its fused losses need a GPU.",
            'Install another one: pip install "trl!=1.15.*,>=1.12,<1.17".',
            "backend",
        )
