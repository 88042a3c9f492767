"""Checkpoints that never fall inside a batch of completions that several optimiser steps share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from aligntune_trl.translation.plan import steps_between_generations

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from aligntune_trl.translation.recipes import Recipe


def generation_period(config: Any, recipe: Recipe) -> int:
    """Optimiser steps from one batch of completions to the next; 1 where every step has its own.

    Args:
        config: The trainer's configuration.
        recipe: How the algorithm is trained.
    """
    if not recipe.is_grouped:
        return 1
    batches = config.steps_per_generation * config.num_iterations
    return steps_between_generations(batches, config.gradient_accumulation_steps)


class BoundaryCheckpoints(TrainerCallback):  # type: ignore[misc]
    """Puts a checkpoint that falls inside a batch of completions off to the batch's end, so that resuming is exact.

    Args:
        period: Optimiser steps from one batch of completions to the next.
    """

    def __init__(self, period: int) -> None:
        self._period = period
        self._due = False

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> TrainerControl:
        self._due = self._due or control.should_save
        last = state.global_step >= state.max_steps
        control.should_save = self._due and (last or state.global_step % self._period == 0)
        if control.should_save:
            self._due = False
        return control
