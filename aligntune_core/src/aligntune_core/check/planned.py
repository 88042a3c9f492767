"""What a backend works out of a run, held to what a plan is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.backends.hooks import contained
from aligntune_core.plan import Plan
from aligntune_core.shape import wrong_field

if TYPE_CHECKING:
    from aligntune_core.backends.backend import Backend
    from aligntune_core.backends.registry import Registry
    from aligntune_core.job import Job


def planned(job: Job, rows: int | None, backend: Backend, known: Registry) -> Plan | None:
    """What a run would come to; None where its backend does not say.

    Args:
        job: The job.
        rows: How many rows are learned from; None where they were not counted.
        backend: Who would train it.
        known: The registry that the backend is of.

    Raises:
        HookError: If the backend fails, or gives something else.
    """
    with contained(backend, "worked out the run", through=()):
        plan: Any = known.hook(backend, "aligntune_plan_job")(job=job, rows=rows)
        if plan is None:
            return None
        if not isinstance(plan, Plan):
            raise TypeError(f"its aligntune_plan_job gave a {type(plan).__name__}, not a Plan")
        fault = wrong_field(plan)
        if fault:
            raise TypeError(f"its aligntune_plan_job gave a wrong Plan: {fault}")
        return plan
