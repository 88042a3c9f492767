"""What this backend refuses of a job beyond what it declares: values of job keys that it can't follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core import Problem
from aligntune_minimal.settings import PRECISIONS, SCHEDULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core import Job


def job_problems(job: Job) -> Iterator[Problem]:
    """Every problem that this backend finds in a job."""
    for key, known in (("lr_scheduler", SCHEDULES), ("precision", PRECISIONS)):
        value = getattr(job, key)
        if value is not None and value not in known:
            message = f"the backend 'minimal' has no {key} '{value}'."
            yield Problem("unsupported-value", message, f"Use one of {', '.join(known)}.", key)
