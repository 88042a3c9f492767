"""Running a job from its verdict to its saved model, with everything that may end it on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.run.outcome import Outcome, finished, refused, stopped
from aligntune_core.run.stdout import standard_output_kept_clear

if TYPE_CHECKING:
    from collections.abc import Callable

    from aligntune_core.check.verdict import Verdict
    from aligntune_core.console.progress import ConsoleProgress
    from aligntune_core.run.process.child_process import ChildProcess
    from aligntune_core.trainer import Trainer


def run(
    verdict: Verdict,
    progress: ConsoleProgress,
    *,
    before: Callable[[Trainer], None] | None = None,
    after: Callable[[Trainer], None] | None = None,
    merge: bool = False,
    child: ChildProcess | None = None,
) -> Outcome:
    """Train the job of a verdict, save the model and evaluate it.

    Args:
        verdict: What was decided about the job.
        progress: What shows the run's events.
        before: Called with the trainer before training.
        after: Called with the trainer when the model is saved.
        merge: Whether adapters are folded into the saved weights.
        child: The process for a job that asks for one, where it was started already.
    """
    from aligntune_core.run.launch import launch

    if not verdict.ok:
        outcome = refused(verdict)
    else:
        began = False
        try:
            with standard_output_kept_clear(), progress:
                trainer = launch(verdict, on_event=progress, child=child)
                if before:
                    before(trainer)
                began = True
                outcome = _trained(verdict, trainer, merge=merge)
                if after:
                    after(trainer)
        except (Exception, KeyboardInterrupt, SystemExit) as error:
            outcome = stopped(verdict, error, progress.steps, began=began)
    return outcome


def _trained(verdict: Verdict, trainer: Trainer, *, merge: bool) -> Outcome:
    result = trainer.train()
    folder = trainer.save(merge=merge)
    job = verdict.job
    evaluation = trainer.evaluate() if job is not None and job.evaluates else {}
    return finished(verdict, result, str(folder), evaluation)
