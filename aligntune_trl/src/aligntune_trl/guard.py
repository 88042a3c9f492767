"""A run that diverged stops with an error, and what it left is not taken for a trained model."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from aligntune_core import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from transformers import TrainerControl, TrainerState, TrainingArguments

_FIX = "Lower learning_rate or max_grad_norm, or set precision to bf16 or fp32."


def guard(native: Any, *, keep_filter: bool) -> None:
    """Let a trainer raise a RunError where its loss, its gradients or its weights are no longer finite.

    Args:
        native: The trainer.
        keep_filter: Whether its ``logging_nan_inf_filter``, which logs an average in place of such a loss, stays.
    """
    if not keep_filter:
        native.args.logging_nan_inf_filter = False
    native.add_callback(FiniteGuard(native))


class FiniteGuard(TrainerCallback):  # type: ignore[misc]
    """Looks at the loss after every step, at the gradients' norm where it is logged, at the weights before a save.

    Args:
        native: The trainer.
    """

    def __init__(self, native: Any) -> None:
        self._native = native

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        # the sum over the steps since the last log; of this process alone, so several processes wait for the log
        loss = getattr(self._native, "_tr_loss", None)
        if loss is not None and args.world_size == 1 and loss.device.type == "cpu":
            _require_finite("loss", float(loss), state.global_step)
        if control.should_save:
            require_finite_weights(kwargs["model"], state.global_step)

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if control.should_save:
            require_finite_weights(kwargs["model"], state.global_step)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        # with fp16, a step whose gradients overflow is left out and the loss scaled down
        for name in ("loss",) if args.fp16 else ("loss", "grad_norm"):
            if logs and name in logs:
                _require_finite(name, float(logs[name]), state.global_step)


def require_finite_weights(model: Any, step: int) -> None:
    """Refuse a model whose trained weights are not all finite.

    Args:
        model: The model.
        step: How many steps it was trained.

    Raises:
        RunError: If there is a weight that is infinite or not a number.
    """
    for name, weight in model.named_parameters():
        if weight.requires_grad and not bool(weight.detach().isfinite().all()):
            raise RunError(
                f"Training diverged: the weights are no longer finite after step {step} ('{name}' is one).", fix=_FIX
            )


@contextmanager
def sampling() -> Iterator[None]:
    """Turn what torch raises where a model's probabilities are not finite into a RunError; anything else passes."""
    try:
        yield
    except RuntimeError as error:
        if "probability tensor contains" not in str(error):
            raise
        raise RunError(
            "Training diverged: the model's probabilities are no longer finite, so nothing can be sampled.", fix=_FIX
        ) from error


def _require_finite(name: str, value: float, step: int) -> None:
    if not math.isfinite(value):
        raise RunError(f"Training diverged: '{name}' is {value} at step {step}.", fix=_FIX)
