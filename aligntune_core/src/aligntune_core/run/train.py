"""Running a job from its verdict to its saved model, with everything that may end it on the way."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aligntune_core.console.ink import Ink
from aligntune_core.errors import AlignTuneError
from aligntune_core.run.outcome import INTERRUPTED, Outcome, finished, refused, stopped
from aligntune_core.run.stdout import standard_output_kept_clear

if TYPE_CHECKING:
    from collections.abc import Callable

    from aligntune_core.check.verdict import Verdict
    from aligntune_core.console.progress import ConsoleProgress
    from aligntune_core.trainer import Trainer


def run(
    verdict: Verdict,
    progress: ConsoleProgress,
    *,
    before: Callable[[Trainer], None] | None = None,
    after: Callable[[Trainer], None] | None = None,
    merge: bool = False,
) -> Outcome:
    """Train the job of a verdict, save the model, evaluate it, and say on standard error how that went.

    Args:
        verdict: What was decided about the job.
        progress: What shows the run's events.
        before: Called with the trainer before training.
        after: Called with the trainer when the model is saved.
        merge: Whether adapters are folded into the saved weights.
    """
    if not verdict.ok:
        outcome = refused(verdict)
    else:
        try:
            with standard_output_kept_clear(), progress:
                outcome = _train(verdict, progress, before, after, merge=merge)
        except (Exception, KeyboardInterrupt, SystemExit) as error:
            outcome = stopped(verdict, error, progress.steps, began=progress.began)
    if outcome.status != "ok":
        _say_why(outcome, progress)
    return outcome


def _train(
    verdict: Verdict,
    progress: ConsoleProgress,
    before: Callable[[Trainer], None] | None,
    after: Callable[[Trainer], None] | None,
    *,
    merge: bool,
) -> Outcome:
    from aligntune_core.run.launch import launch

    trainer = launch(verdict, on_event=progress)
    if before:
        before(trainer)
    result = trainer.train()
    folder = trainer.save(merge=merge)
    job = verdict.job
    evaluates = job is not None and (job.eval_dataset_name is not None or job.eval_dataset_split is not None)
    evaluation = trainer.evaluate() if evaluates else {}
    if after:
        after(trainer)
    return finished(verdict, result, str(folder), evaluation)


def _say_why(outcome: Outcome, progress: ConsoleProgress) -> None:
    ink = Ink(sys.stderr)
    cause = outcome.cause
    if outcome.problems:
        from aligntune_core.cli.screens.verdict import problem_lines

        for line in problem_lines(outcome.problems, ink):
            ink.say(line)
    elif isinstance(cause, AlignTuneError):
        from aligntune_core.cli.screens.failure import say_error

        say_error(cause)
    elif outcome.exit_code == INTERRUPTED:
        way_on = "; resume=true goes on from the last checkpoint" if progress.checkpoint else ""
        ink.say(f"Interrupted after {outcome.steps} steps{way_on}.")
    elif cause is not None:
        import traceback

        ink.say("".join(traceback.format_exception(cause)).rstrip())
        ink.say(ink.labelled("error:", f"the run failed after {outcome.steps} steps, as shown above.", "bold", "red"))
