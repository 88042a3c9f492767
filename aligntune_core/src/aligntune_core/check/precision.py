"""Whether the GPUs here do the arithmetic that a job asks for; asking their driver takes too long for a launch."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aligntune_core.machine.devices import device, nvidia, visible
from aligntune_core.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.job import Job


def arithmetic_problems(job: Job) -> Iterator[Problem]:
    """An error if a GPU that the job would run on does not do its precision.

    Args:
        job: The job.
    """
    if job.precision is None or device() != "cuda":
        return
    unable = [
        gpu.name
        for gpu in visible(nvidia().gpus, os.environ.get("CUDA_VISIBLE_DEVICES"))
        if job.precision not in gpu.precisions
    ]
    if unable:
        yield Problem(
            "precision",
            f"'precision' is {job.precision}, which {unable[0]} does not train in.",
            "Use precision: fp16 or fp32.",
            "precision",
        )
