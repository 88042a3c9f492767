"""A run that diverged, or that nothing rewards, stops with an error, and what it left is not taken for a model."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from aligntune_core import RewardError, RunError
from aligntune_core.kit.finite import DIVERGED_FIX, require_finite
from aligntune_core.kit.weights import require_finite_weights
from aligntune_core.rewards.guard import GuardedReward

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from transformers import TrainerControl, TrainerState, TrainingArguments

_STEPS_WITHOUT_REWARD = 3
"""Batches in a row: a checker that is out for a moment may leave one or two without."""


def guards(native: Any, *, keep_filter: bool) -> list[TrainerCallback]:
    """What raises a RunError where a trainer's loss, its gradients or its weights are no longer finite.

    Where rewards may be missing, a RewardError is raised when all of them are, for some steps.

    Args:
        native: The trainer.
        keep_filter: Whether its ``logging_nan_inf_filter``, which logs an average in place of such a loss, stays.
    """
    if not keep_filter:
        native.args.logging_nan_inf_filter = False
    rewards = [each for each in getattr(native, "reward_funcs", ()) if isinstance(each, GuardedReward)]
    # the punishment is of a length, not of an answer
    rewards = [each for each in rewards if each.allow_missing and not each.name.startswith("soft_overlong")]
    return [FiniteGuard(native), *([RewardGuard(rewards)] if rewards else [])]


class FiniteGuard(TrainerCallback):  # type: ignore[misc]
    """Looks at the loss after every step, at the gradients' norm where it is logged, at weights before a checkpoint.

    The core looks at a loss that is logged, and at the weights at the end and before the model is saved.

    Args:
        native: The trainer.
    """

    def __init__(self, native: Any) -> None:
        self._native = native

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


class RewardGuard(TrainerCallback):  # type: ignore[misc]
    """Counts the batches of completions of which none got a reward.

    Args:
        rewards: The reward functions, which may give none.
    """

    def __init__(self, rewards: Sequence[GuardedReward]) -> None:
        self._rewards = rewards
        self._scored = self._missing = self._without = 0

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        scored = sum(reward.scored for reward in self._rewards)
        missing = sum(reward.missing for reward in self._rewards)
        if scored > self._scored:
            self._without = 0
        elif missing > self._missing:
            self._without += 1
        self._scored, self._missing = scored, missing
        if self._without >= _STEPS_WITHOUT_REWARD:
            names = ", ".join(f"'{reward.name}'" for reward in self._rewards)
            raise RewardError(
                f"no completion of the last {self._without} batches has a reward, at step {state.global_step}: {names} "
                "gave None or NaN for each.",
                fix="Check what the reward function depends on. Without backend_args.allow_missing_rewards, the first "
                "completion that has no reward is shown.",
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
            "Training diverged: the model's probabilities are no longer finite, so nothing can be sampled.",
            fix=DIVERGED_FIX,
        ) from error
