"""What a run's length makes of the intervals that a job names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.problem import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.job import Job

_INTERVALS = {
    "save_steps": ("no-checkpoint", "only its last step is saved, so a run that breaks off starts again"),
    "eval_steps": ("never-evaluated", "nothing is evaluated while it goes"),
    "logging_steps": ("never-logged", "no loss is logged while it goes"),
}


def schedule_problems(job: Job, steps: int) -> Iterator[Problem]:
    """Warnings of intervals that a run is too short for.

    Args:
        job: The job.
        steps: Optimiser steps of the run.
    """
    length = f"the run has {steps} step{'s' * (steps != 1)}"
    warmup = job.warmup_steps
    if warmup and warmup >= steps:
        yield Problem(
            "warmup-too-long",
            f"'warmup_steps' is {warmup}, and {length}: the learning rate never reaches its height.",
            f"Lower warmup_steps, e.g. to {max(steps // 10, 1)}, or train longer.",
            "warmup_steps",
            Severity.WARNING,
        )
    for key, (code, what) in _INTERVALS.items():
        interval = getattr(job, key)
        if key == "eval_steps" and not job.evaluates:
            continue  # it has no effect, which is said already
        if interval and interval > steps:
            fix = f"Lower {key}, or leave it out."
            yield Problem(code, f"'{key}' is {interval}, and {length}: {what}.", fix, key, Severity.WARNING)
