"""Whether a run's checkpoints fit on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.machine.disk import free_bytes
from aligntune_core.problem import Problem, Severity
from aligntune_core.wording import size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.job import Job
    from aligntune_core.plan import Plan


def room_problems(job: Job, plan: Plan) -> Iterator[Problem]:
    """A warning if not one checkpoint fits, or not all of them do: sizes are estimates.

    Args:
        job: The job.
        plan: What it would come to.
    """
    free = free_bytes(job.output_dir)
    if not plan.checkpoint_bytes or free is None:
        return
    if plan.checkpoint_bytes > free:
        yield Problem(
            "disk-full",
            f"one checkpoint takes about {size(plan.checkpoint_bytes)}, and the disk of '{job.output_dir}' has "
            f"{size(free)} left.",
            "Make room, or choose another output_dir.",
            "output_dir",
            Severity.WARNING,
        )
    elif plan.checkpoints and plan.checkpoints * plan.checkpoint_bytes > free:
        whole = size(plan.checkpoints * plan.checkpoint_bytes)
        yield Problem(
            "disk-full",
            f"the run's {plan.checkpoints} checkpoints take about {whole}, and "
            f"the disk of '{job.output_dir}' has {size(free)} left.",
            "Set save_total_limit, or raise save_steps.",
            "save_total_limit",
            Severity.WARNING,
        )
