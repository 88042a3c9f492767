"""A run that diverged, or that nothing rewards, stops with an error, and what it left is not taken for a model."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from aligntune_core import RewardError, RunError
from aligntune_core.kit.callbacks import as_callback
from aligntune_core.kit.figures import DIVERGED_FIX
from aligntune_core.kit.finite_guard import FiniteGuard
from aligntune_core.rewards.guard import GuardedReward

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    rewards = [each for each in getattr(native, "reward_funcs", ()) if isinstance(each, GuardedReward)]
    # the punishment is of a length, not of an answer
    rewards = [each for each in rewards if each.allow_missing and not each.name.startswith("soft_overlong")]
    return [as_callback(FiniteGuard(native, keep_filter=keep_filter)), *([RewardGuard(rewards)] if rewards else [])]


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
