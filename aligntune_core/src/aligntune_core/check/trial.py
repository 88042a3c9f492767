"""Two steps of a job on its first rows: what nothing but training would show."""

from __future__ import annotations

import tempfile
import time
from typing import TYPE_CHECKING, Any

from aligntune_core.check.examination import Trial
from aligntune_core.errors import AlignTuneError, JobError
from aligntune_core.events import Event, Notice, Started, Stepped
from aligntune_core.problem import Problem, Severity
from aligntune_core.wording import described

if TYPE_CHECKING:
    from aligntune_core.backends.backend import Backend
    from aligntune_core.backends.registry import Registry
    from aligntune_core.job import Job
    from aligntune_core.plan import Plan

STEPS = 2


def try_out(
    job: Job, plan: Plan | None, backend: Backend, known: Registry, *, rows: int | None = None
) -> tuple[Trial | None, list[Problem]]:
    """Build a job's trainer and take two steps on as few rows as that takes, in a folder that is thrown away.

    Args:
        job: The job.
        plan: What it would come to, None where the backend does not say.
        backend: Who trains it.
        known: The registry that the backend is of.
        rows: How many of the first rows hold as many to learn from as that takes; None where it is not known.

    Returns:
        What happened, None if the steps could not be taken; and why not, or what is doubtful about them.
    """
    losses: list[float] = []
    started: list[Started] = []
    doubts: list[Problem] = []

    def listen(event: Event) -> None:
        if isinstance(event, Started):
            started.append(event)
        elif isinstance(event, Stepped) and "loss" in event.metrics:
            losses.append(event.metrics["loss"])
        elif isinstance(event, Notice) and event.warning and started:
            # what is said before is said of the data already
            doubts.append(Problem(event.code or "trial-warning", event.message, "", event.key, Severity.WARNING))

    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="aligntune-trial-") as folder:
        try:
            shortened = _shortened(job, plan, folder, rows)
            trainer = known.hook(backend, "aligntune_create_trainer")(job=shortened, emit=listen)
            steps = trainer.train().steps
        except JobError as error:
            return None, list(error.problems)
        except (Exception, SystemExit) as error:
            return None, [_failure(error, taken=len(losses))]
    return Trial(steps, tuple(losses), time.monotonic() - begun, started[0].device if started else ""), doubts


def rows_needed(plan: Plan | None) -> int:
    """Rows to learn from that a trial takes."""
    return max(STEPS, plan.least_rows if plan else 1)


def _shortened(job: Job, plan: Plan | None, folder: str, rows: int | None) -> Job:
    first = rows or rows_needed(plan)
    arguments = {name: value for name, value in job.backend_args.items() if not plan or name not in plan.untried}
    changes: dict[str, Any] = {
        "max_samples": min(first, job.max_samples or first),
        "max_steps": STEPS,
        "logging_steps": 1,
        "output_dir": folder,
        "backend_args": {**arguments, **(plan.unsaved if plan else {})},
    }
    left_alone = {"num_epochs", "resume", "report_to", "save_steps", "save_total_limit", "eval_steps"}
    kept = {key: value for key, value in job.settings().items() if key not in {*left_alone, *job.further}}
    return type(job).model_validate({**kept, **changes}).with_further(job.further)


def _failure(error: BaseException, taken: int) -> Problem:
    when = f"in step {taken + 1}" if taken else "before or in its first step"
    if isinstance(error, AlignTuneError):
        return Problem("trial-failed", f"a trial run stopped {when}: {error.message}", error.fix)
    message = f"a trial run failed {when} with {described(error, 500)}."
    return Problem("trial-failed", message, "`aligntune train` shows where.")
