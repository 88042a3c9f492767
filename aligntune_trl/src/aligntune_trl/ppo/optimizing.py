"""The parts of optimisation that transformers' loop has no place for: several updates, and a rate for each model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor


def mini_batches(rows: int, passes: int, parts: int) -> Iterator[Tensor]:
    """Row numbers for each optimiser update, in an order drawn anew for each pass from torch's global random state.

    Args:
        rows: How many rows there are.
        passes: How often each is used.
        parts: Updates in a pass; no more than there are rows.
    """
    for _ in range(passes):
        yield from torch.randperm(rows).tensor_split(min(parts, rows))


def set_learning_rate(optimizer: Any, module: Any, learning_rate: float) -> None:
    """Give a module's parameters a learning rate of their own, before a schedule is attached.

    Args:
        optimizer: A torch optimiser that has the parameters already; their groups' other settings stay.
        module: Whose parameters are meant.
        learning_rate: The rate.
    """
    own = {id(parameter) for parameter in module.parameters()}
    for group in list(optimizer.param_groups):
        chosen = [parameter for parameter in group["params"] if id(parameter) in own]
        if chosen:
            group["params"] = [parameter for parameter in group["params"] if id(parameter) not in own]
            optimizer.add_param_group({**group, "params": chosen, "lr": learning_rate})


def all_finite(module: Any) -> bool:
    """Whether every weight that is trained is a finite number."""
    checks = [parameter.detach().isfinite().all() for parameter in module.parameters() if parameter.requires_grad]
    return bool(torch.stack(checks).all()) if checks else True
