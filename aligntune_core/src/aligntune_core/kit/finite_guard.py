"""A run of transformers' Trainer that diverged stops with an error, and what it left is not taken for a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.kit.figures import require_finite
from aligntune_core.kit.weights import require_finite_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import TrainerControl, TrainerState, TrainingArguments


class FiniteGuard:
    """Looks at the loss after every step, at the gradients' norm where it is logged, at weights before a checkpoint.

    The core looks at a loss that is logged, and at the weights at the end and before the model is saved.

    Args:
        native: The trainer.
        keep_filter: Whether its ``logging_nan_inf_filter``, which logs an average in place of such a loss, stays.
    """

    def __init__(self, native: Any, *, keep_filter: bool = False) -> None:
        self._native = native
        if not keep_filter:
            native.args.logging_nan_inf_filter = False

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        # the sum over the steps since the last log; of this process alone, so several processes wait for the log
        loss = getattr(self._native, "_tr_loss", None)
        if loss is not None and args.world_size == 1 and loss.device.type == "cpu":
            require_finite("loss", float(loss), state.global_step)
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
        if logs and "grad_norm" in logs and not args.fp16:
            require_finite("grad_norm", float(logs["grad_norm"]), state.global_step)
