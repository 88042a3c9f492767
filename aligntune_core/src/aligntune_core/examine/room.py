"""Whether a run's checkpoints fit on the disk."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from aligntune_core.verdict import Problem, Severity

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


def free_bytes(folder: str) -> int | None:
    """Bytes that can still be written where a folder is or will be; None where that can't be told."""
    try:
        place = Path(folder).expanduser().absolute()
        while not place.exists():
            place = place.parent
        return shutil.disk_usage(place).free
    except (OSError, RuntimeError, ValueError):
        return None


def size(count: int) -> str:
    """A number of bytes for people, e.g. ``1.5 GB``."""
    number = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"
