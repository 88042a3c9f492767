"""Rewards for the length of completions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from aligntune_core.errors import RewardError
from aligntune_core.rewards.builtin.columns import column
from aligntune_core.rewards.builtin.parameters import expect_count
from aligntune_core.rewards.texts import Turn, text_of
from aligntune_core.wording import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

UNITS = ("words", "characters")


@dataclass(frozen=True, slots=True)
class Length:
    """Between 0.0 and 1.0, by how near a completion's length is to a target, or how far it goes over a limit.

    With ``target``: 1.0 at the target, falling in a straight line to 0.0 at nothing and at twice the target.
    With ``limit``: 1.0 up to the limit, falling in a straight line to 0.0 at twice the limit.

    Args:
        target: The length to come near to. Either this or ``limit`` has to be given.
        limit: The length not to exceed.
        unit: What is counted: ``words`` (between white space) or ``characters`` (without white space at the ends).
    """

    name: ClassVar[str] = "length"
    target: int | None = None
    limit: int | None = None
    unit: str = "words"

    def __post_init__(self) -> None:
        if (self.target is None) == (self.limit is None):
            raise RewardError(
                "reward function 'length' needs a target or a limit, and not both.",
                fix="Write for example length(target=50) or length(limit=300, unit='characters').",
            )
        for parameter, value in (("target", self.target), ("limit", self.limit)):
            if value is not None:
                expect_count(self.name, parameter, value)
        if self.unit not in UNITS:
            raise RewardError(f"reward function 'length' counts {' or '.join(UNITS)}, not {shown(self.unit)}.")

    def __call__(self, prompts: Sequence[Turn], completions: Sequence[Turn], **columns: Any) -> list[float]:
        """One reward for each completion."""
        return [self._score(text_of(completion)) for completion in completions]

    def _score(self, text: str) -> float:
        length = len(text.split()) if self.unit == "words" else len(text.strip())
        if self.target is not None:
            return max(0.0, 1.0 - abs(length - self.target) / self.target)
        limit = self.limit or 1
        return min(1.0, max(0.0, 2.0 - length / limit))


@dataclass(frozen=True, slots=True)
class SoftOverlong:
    """0.0 for a completion well within the length allowed, falling to -1.0 where it uses all of it.

    The soft overlong punishment of DAPO (arXiv 2503.14476, equation 13), in tokens: 0 up to L_max - L_cache, then in a
    straight line to -1 at L_max, and -1 beyond. It is meant to be added to a reward for being right. Engines pass the
    tokens as the column ``completion_ids``.

    Args:
        max_completion_length: L_max in tokens; by default what the job says.
        cache: L_cache in tokens; by default a fifth of L_max, as the paper's 4,096 of 20,480.
    """

    name: ClassVar[str] = "soft_overlong"
    max_completion_length: int | None = None
    cache: int | None = None

    def __post_init__(self) -> None:
        if self.max_completion_length is None:
            raise RewardError(
                "reward function 'soft_overlong' needs to know how long a completion may be.",
                fix="Set max_completion_length in the job, or write soft_overlong(max_completion_length=1024).",
            )
        expect_count(self.name, "max_completion_length", self.max_completion_length)
        if self.cache is not None:
            expect_count(self.name, "cache", self.cache)
            if self.cache > self.max_completion_length:
                raise RewardError(
                    f"reward function 'soft_overlong' has a cache of {self.cache} tokens, more than the "
                    f"{self.max_completion_length} a completion may have.",
                    fix="Leave the cache out: a fifth of max_completion_length is its default.",
                )

    def __call__(self, prompts: Sequence[Turn], completions: Sequence[Turn], **columns: Any) -> list[float]:
        """One reward for each completion."""
        if "completion_ids" not in columns:
            raise RewardError(
                "reward function 'soft_overlong' needs the completions' tokens, and got no 'completion_ids'.",
                fix="Use a backend that passes them, or length(limit=...), which counts words or characters.",
            )
        tokens = column(columns, "completion_ids", wanted_by=self.name, count=len(completions))
        return [self._score(len(ids)) for ids in tokens]

    def _score(self, length: int) -> float:
        longest = self.max_completion_length or 1
        cache = self.cache or max(1, round(longest / 5))
        return min(0.0, max(-1.0, (longest - cache - length) / cache))
