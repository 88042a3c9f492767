"""From transformers' callbacks to AlignTune's events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.events import CheckpointSaved, Evaluated, Started, Stepped
from aligntune_core.kit.figures import numbers
from aligntune_core.kit.weights import sizes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import TrainerControl, TrainerState, TrainingArguments

    from aligntune_core.events import Listener


class EventCallback:
    """Sends what happens in a transformers Trainer to a listener.

    Args:
        emit: The listener.
    """

    def __init__(self, emit: Listener) -> None:
        self._emit = emit

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        # a checkpoint's own intervals would win over the job's
        state.compute_steps(args, state.max_steps)
        parameters, trainable = sizes(kwargs["model"])
        self._emit(
            Started(
                total_steps=state.max_steps,
                first_step=state.global_step,
                parameters=parameters,
                trainable=trainable,
                device=str(args.device),
            )
        )

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._emit(Stepped(state.global_step))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        metrics = numbers(logs or {})
        if "loss" in metrics:
            self._emit(Stepped(state.global_step, metrics))

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self._emit(Evaluated(state.global_step, numbers(metrics or {})))

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._emit(CheckpointSaved(state.global_step, f"{args.output_dir}/checkpoint-{state.global_step}"))
