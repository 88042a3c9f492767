"""A run that did nothing is no success: steps were taken and gradients came, or it is said."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from transformers import TrainerCallback

from aligntune_core import Notice, RunError
from aligntune_core.events import NOTHING_LEARNED
from aligntune_core.kit.weights import checksums

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from transformers import TrainerControl, TrainerState, TrainingArguments

    from aligntune_core import Listener

_NO_STEP = "no step was taken: the dataset's rows don't fill one batch, or a callback stopped the run."
_NO_STEP_FIX = "Add rows, lower batch_size, or leave out backend_args.dataloader_drop_last."
_NO_GRADIENT_FIX = {
    False: "Check that the answers are there and that max_seq_length leaves room for them.",
    True: "Completions of a prompt with equal rewards teach nothing: use prompts that are harder or easier for the "
    "model, or a reward that tells its answers apart.",
}
_CHANCE = 5
"""Steps in which sampled completions may all have equal rewards by chance: a run that short is a trial."""


class Effect(TrainerCallback):  # type: ignore[misc]
    """Remembers how a run began and whether a gradient was logged.

    Args:
        native: The trainer.
        samples: Whether it learns from completions that the model samples.
    """

    def __init__(self, native: Any, *, samples: bool) -> None:
        self._native = native
        self._samples = samples
        self._first = 0
        self._before: tuple[int, ...] = ()
        self._norms: set[bool] = set()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._first = state.global_step
        self._before = checksums(self._native.model) if self._keeps_no_averages() else ()
        self._norms.clear()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if logs and (norm := logs.get("grad_norm")) is not None:
            self._norms.add(float(norm) != 0.0)

    def require(self, step: int, emit: Listener) -> None:
        """Refuse a run that did nothing.

        Args:
            step: The step it ended at.
            emit: Where it is said that there were no gradients by chance.

        Raises:
            RunError: If no step was taken, or every step's gradient was exactly 0 and that is no chance.
        """
        steps = step - self._first
        if steps <= 0:
            raise RunError(_NO_STEP, fix=_NO_STEP_FIX)
        if self._had_no_gradient():
            message, fix = f"nothing was learned: the gradient was exactly 0 in all {steps} steps.", _NO_GRADIENT_FIX
            if not self._samples or steps >= _CHANCE:
                raise RunError(message, fix=fix[self._samples])
            emit(Notice(f"{message} {fix[self._samples]}", warning=True, code=NOTHING_LEARNED))

    def _had_no_gradient(self) -> bool:
        if True in self._norms:
            return False
        # an optimiser's averages tell of every step, also where weight decay changed weights without a gradient
        averages = [
            value
            for state in self._native.optimizer.state.values()
            for value in state.values()
            if isinstance(value, torch.Tensor) and value.dim() and value.is_floating_point()
        ]
        if averages:
            return not any(bool(value.any()) for value in averages)
        return bool(self._norms and self._before) and self._before == checksums(self._native.model)

    def _keeps_no_averages(self) -> bool:
        """Whether only the weights tell of what the optimiser did; not looked at on several devices."""
        if self._native.args.world_size > 1:
            return False  # each may hold parts of the weights
        optimizer = getattr(self._native.optimizer, "optimizer", self._native.optimizer)
        return isinstance(optimizer, torch.optim.SGD) and not any(group["momentum"] for group in optimizer.param_groups)


@contextmanager
def a_batch() -> Iterator[None]:
    """Turn what transformers raises where the rows don't fill one batch into a RunError; anything else passes."""
    try:
        yield
    except ValueError as error:
        if "if dataloader does not have a length" not in str(error):
            raise
        raise RunError(_NO_STEP, fix=_NO_STEP_FIX) from error
