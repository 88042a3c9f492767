"""An error on standard error, short and without a traceback."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aligntune_core.console.ink import Ink

if TYPE_CHECKING:
    from aligntune_core.errors import AlignTuneError


def say_error(error: AlignTuneError) -> None:
    """Say what is wrong, what to do, and the engine's own words where there are any."""
    ink = Ink(sys.stderr)
    ink.say(ink.labelled("error:", error.message, "bold", "red"))
    if error.fix:
        ink.say(ink.wrap(error.fix, "  "))
    cause = error.__cause__
    if cause is not None and str(cause) not in error.message:
        ink.say(ink.wrap(f"caused by {type(cause).__name__}: {cause}", "  "))
