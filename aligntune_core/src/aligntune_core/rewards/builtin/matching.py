"""Rewards for saying what the dataset's answer says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from aligntune_core.errors import RewardError
from aligntune_core.rewards.builtin.columns import column
from aligntune_core.rewards.builtin.numerals import answer_number, number_of
from aligntune_core.rewards.builtin.parameters import expect_flag, expect_not_negative, expect_text
from aligntune_core.rewards.texts import Turn, shortened, text_of
from aligntune_core.wording import shown

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class ExactMatch:
    """1.0 where the completion's text is the answer, else 0.0; white space around either is left out.

    Args:
        column: The dataset's column with the answer.
        ignore_case: Whether ``Paris`` and ``paris`` are the same.
    """

    name: ClassVar[str] = "exact_match"
    column: str = "answer"
    ignore_case: bool = False

    def __post_init__(self) -> None:
        expect_text(self.name, "column", self.column)
        expect_flag(self.name, "ignore_case", self.ignore_case)

    def __call__(self, prompts: Sequence[Turn], completions: Sequence[Turn], **columns: Any) -> list[float]:
        """One reward for each completion."""
        answers = column(columns, self.column, wanted_by=self.name, count=len(completions))
        for prompt, answer in zip(prompts, answers, strict=True):
            if answer is None:
                raise _unusable(self.name, self.column, answer, prompt, "nothing to compare with")
        return [
            float(self._spelt(text_of(completion)) == self._spelt(str(answer)))
            for completion, answer in zip(completions, answers, strict=True)
        ]

    def _spelt(self, text: str) -> str:
        return text.strip().casefold() if self.ignore_case else text.strip()


@dataclass(frozen=True, slots=True)
class NumericMatch:
    r"""1.0 where the completion's number is the answer's number, else 0.0.

    The number of a text is the one directly after ``####`` (GSM8K, arXiv 2110.14168) or in ``\boxed{}`` (MATH, arXiv
    2103.03874), whichever comes last, and without either the last one in it. Numbers are compared exactly: ``0.50``,
    ``.5`` and ``1/2`` are equal, and ``50%`` is 50.

    Args:
        column: The dataset's column with the answer: a number, or a text that gives one as above.
        tolerance: How far apart the two may be, as an absolute difference.
    """

    name: ClassVar[str] = "numeric_match"
    column: str = "answer"
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        expect_text(self.name, "column", self.column)
        expect_not_negative(self.name, "tolerance", self.tolerance)

    def __call__(self, prompts: Sequence[Turn], completions: Sequence[Turn], **columns: Any) -> list[float]:
        """One reward for each completion."""
        answers = column(columns, self.column, wanted_by=self.name, count=len(completions))
        tolerance = Fraction(repr(self.tolerance))
        rewards = []
        for prompt, completion, answer in zip(prompts, completions, answers, strict=True):
            wanted, given = number_of(answer), answer_number(text_of(completion))
            if wanted is None:
                raise _unusable(self.name, self.column, answer, prompt, "no number in it")
            rewards.append(float(given is not None and abs(given - wanted) <= tolerance))
        return rewards


@dataclass(frozen=True, slots=True)
class FormatMatch:
    """1.0 where the completion's text has the form of a regular expression, else 0.0.

    The whole text has to match, without the white space around it, and ``.`` matches line breaks. The default asks for
    one ``<think>...</think>`` and then one ``<answer>...</answer>`` (DeepSeek-R1, arXiv 2501.12948, table 1).

    Args:
        pattern: The regular expression, in Python's syntax.
    """

    name: ClassVar[str] = "format"
    pattern: str = r"<think>(?:(?!</?think>).)*</think>\s*<answer>(?:(?!</?answer>).)*</answer>"

    def __post_init__(self) -> None:
        expect_text(self.name, "pattern", self.pattern)
        try:
            re.compile(self.pattern, re.DOTALL)
        except (re.error, OverflowError, RecursionError) as error:
            raise RewardError(
                f"reward function 'format' can't read the pattern {shown(self.pattern)}: {error}.",
                fix="It has to be a regular expression in Python's syntax.",
            ) from error

    def __call__(self, prompts: Sequence[Turn], completions: Sequence[Turn], **columns: Any) -> list[float]:
        """One reward for each completion."""
        pattern = re.compile(self.pattern, re.DOTALL)
        return [float(pattern.fullmatch(text_of(completion).strip()) is not None) for completion in completions]


def _unusable(function: str, name: str, answer: object, prompt: Turn, why: str) -> RewardError:
    return RewardError(
        f"reward function '{function}' can't use the '{name}' {shortened(answer)} of the prompt {shortened(prompt)}: "
        f"there is {why}.",
        fix="Leave such rows out of the dataset, or name another column.",
    )
