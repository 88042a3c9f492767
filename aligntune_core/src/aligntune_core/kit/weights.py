"""What a model's trained weights are: how many, finite or not, the same as before or not."""

from __future__ import annotations

from typing import Any

from aligntune_core.errors import RunError
from aligntune_core.kit.figures import DIVERGED_FIX


def sizes(model: Any) -> tuple[int, int]:
    """How many weights a model has, and how many of them are trained, as ``Started`` tells them.

    Args:
        model: A torch module.
    """
    counts = [(weight.numel(), weight.requires_grad) for weight in model.parameters()]
    return sum(count for count, _ in counts), sum(count for count, trained in counts if trained)


def require_finite_weights(model: Any, step: int) -> None:
    """Refuse a model whose trained weights are not all finite.

    Args:
        model: A torch module. Of weights that are spread over devices, this process's parts are looked at.
        step: How many steps it was trained.

    Raises:
        RunError: If there is a weight that is infinite or not a number.
    """
    for name, weight in model.named_parameters():
        if weight.requires_grad and not weight.is_meta and not _is_finite(_here(weight)):
            raise RunError(
                f"Training diverged: the weights are no longer finite after step {step} ('{name}' is one).",
                fix=DIVERGED_FIX,
            )


def checksums(model: Any) -> tuple[int, ...]:
    """A sum of each trained weight's bits, in which a change of a last digit shows.

    Args:
        model: A torch module.
    """
    return tuple(_sum_of_bits(_here(weight)) for weight in model.parameters() if weight.requires_grad)


def _is_finite(weight: Any) -> bool:
    if not weight.numel():
        return True
    # each is not a number where any is not; to ask every one takes ten times as long, and a mask of them all
    least, greatest = weight.aminmax()
    return bool(least.isfinite() & greatest.isfinite())


def _here(weight: Any) -> Any:
    """The part of a weight that this process holds."""
    weight = weight.detach()
    return weight.to_local() if hasattr(weight, "to_local") else weight


def _sum_of_bits(weight: Any) -> int:
    import torch

    # eight bytes at a time: sums of floats in double precision, or of smaller integers, take ten times as long
    parts = weight.reshape(-1).clone() if weight.storage_offset() else weight.reshape(-1)
    parts = parts.view(torch.uint8)
    whole = len(parts) // 8 * 8
    return int(parts[:whole].view(torch.int64).sum()) + int(parts[whole:].sum())
