"""How large a checkpoint of a job will be, from the sizes that stand in its model's files."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from aligntune_core.models.source import model_source
from aligntune_core.models.tensors import tensors_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aligntune_core import Job
    from aligntune_trl.translation.recipes import Recipe

_BYTES_OF_A_WEIGHT = 4
_BYTES_OF_ITS_MOMENTS = 8
"""AdamW keeps two averages in fp32 for each weight that is trained."""
_RANK = 8
"""peft's default."""


def checkpoint_bytes(job: Job, recipe: Recipe) -> int | None:
    """About how many bytes one checkpoint takes; None where the model's files are not on this machine.

    All weights are trained and saved in fp32, with two averages each. With adapters it is at most this: adapters on
    every matrix of the model, or on those that the job names.

    Args:
        job: The job.
        recipe: How its algorithm is trained.
    """
    folder = model_source(job.model_name).path
    try:
        shapes = dict(_shapes(folder)) if folder else {}
    except (OSError, ValueError):
        return None
    if not shapes:
        return None
    weights = _adapter_weights(shapes, job) if job.use_peft else sum(prod(shape) for shape in shapes.values())
    return recipe.trained_models * weights * (_BYTES_OF_A_WEIGHT + _BYTES_OF_ITS_MOMENTS)


def _shapes(folder: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    for file in sorted(folder.glob("model*.safetensors")):
        yield from tensors_in(file).shapes.items()


def _adapter_weights(shapes: dict[str, tuple[int, ...]], job: Job) -> int:
    rank = int(job.lora_r or _RANK)
    targets = job.lora_target_modules or []
    matrices = [
        shape
        for name, shape in shapes.items()
        if len(shape) == 2 and "embed" not in name and "lm_head" not in name
        if not targets or targets == ["all-linear"] or any(f".{target}." in f".{name}" for target in targets)
    ]
    return sum(rank * sum(shape) for shape in matrices)
