"""Reward functions watched while training, so that no bad reward is learned from unsaid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import AlignTuneError, RewardError
from aligntune_core.rewards.function import name_of
from aligntune_core.rewards.origin import described
from aligntune_core.rewards.returns import rewards_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aligntune_core.rewards.texts import Turn


@dataclass(slots=True)
class GuardedReward:
    """A reward function whose every return is checked.

    Args:
        function: The function.
        name: Its name.
        allow_missing: Whether None and NaN stand for "no reward"; they come out as None.
        scored: How many completions have had a reward so far.
        missing: How many have had none.
    """

    function: Callable[..., Any]
    name: str
    allow_missing: bool = False
    scored: int = 0
    missing: int = 0

    def __call__(self, prompts: Sequence[Turn], completions: Sequence[Turn], **columns: Any) -> list[float | None]:
        """The rewards, one for each completion.

        Raises:
            RewardError: If the function fails, or returns anything but a finite number for each completion.
        """
        try:
            returned = self.function(prompts=prompts, completions=completions, **columns)
            rewards = rewards_in(
                returned,
                name=self.name,
                prompts=prompts,
                completions=completions,
                allow_missing=self.allow_missing,
            )
        except AlignTuneError:
            raise
        except (Exception, SystemExit) as error:
            raise failure(self.name, error, columns) from error
        missing = rewards.count(None)
        self.missing += missing
        self.scored += len(rewards) - missing
        return rewards

    @property
    def __name__(self) -> str:
        return self.name


def guarded(function: Callable[..., Any], *, allow_missing: bool = False) -> GuardedReward:
    """The same function, of the same name, with every return checked.

    Args:
        function: A reward function, resolved or plain.
        allow_missing: Whether None and NaN stand for "no reward". Infinity never does.
    """
    return GuardedReward(function, name_of(function), allow_missing)


def failure(name: str, error: BaseException, columns: Iterable[str]) -> RewardError:
    """The error of a function that failed.

    Args:
        name: Its name.
        error: What it raised.
        columns: What it was called with besides prompts and completions.
    """
    there = ", ".join(sorted({"prompts", "completions", *columns}))
    return RewardError(f"reward function '{name}' failed with {described(error)}.", fix=f"It was called with {there}.")
