"""Why a command failed, on standard error: short, and without a traceback but for what nobody foresaw."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aligntune_core.console.ink import Ink
from aligntune_core.errors import AlignTuneError

if TYPE_CHECKING:
    from aligntune_core.console.progress import ConsoleProgress
    from aligntune_core.run.outcome import Outcome


def say_error(error: AlignTuneError) -> None:
    """Say what is wrong, what to do, and the engine's own words where there are any."""
    ink = Ink(sys.stderr)
    ink.say(ink.labelled("error:", error.message, "bold", "red"))
    if error.fix:
        ink.say(ink.wrap(error.fix, "  "))
    cause = error.__cause__
    if cause is not None and str(cause) not in error.message:
        ink.say(ink.wrap(f"caused by {type(cause).__name__}: {cause}", "  "))


def say_why(outcome: Outcome, progress: ConsoleProgress) -> None:
    """Say why a run came to nothing; nothing where it came to its end.

    Args:
        outcome: How the run came out.
        progress: What showed its events.
    """
    if outcome.status == "ok":
        return
    ink = Ink(sys.stderr)
    cause = outcome.cause
    if outcome.problems:
        from aligntune_core.cli.screens.verdict import problem_lines

        for line in problem_lines(outcome.problems, ink):
            ink.say(line)
    elif isinstance(cause, AlignTuneError):
        say_error(cause)
    elif isinstance(cause, KeyboardInterrupt):
        way_on = "; resume=true goes on from the last checkpoint" if progress.checkpoint else ""
        ink.say(f"Interrupted after {outcome.steps} steps{way_on}.")
    elif cause is not None:
        import traceback

        ink.say("".join(traceback.format_exception(cause)).rstrip())
        ink.say(ink.labelled("error:", f"the run failed after {outcome.steps} steps, as shown above.", "bold", "red"))
