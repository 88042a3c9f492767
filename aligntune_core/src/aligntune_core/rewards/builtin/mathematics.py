"""A reward for mathematical expressions that are equal, by the package math-verify."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

from aligntune_core.errors import RewardError
from aligntune_core.rewards.builtin.columns import column
from aligntune_core.rewards.builtin.parameters import expect_count, expect_text
from aligntune_core.rewards.texts import Turn, shortened, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORD = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{2,}")


@dataclass(frozen=True, slots=True)
class MathVerify:
    r"""1.0 where the completion's expression equals the answer's, else 0.0, as math-verify reads and compares them.

    Completions are read for LaTeX (``$...$``, ``\boxed{}``) and plain expressions. Needs the package ``math-verify``
    (https://github.com/huggingface/Math-Verify).

    Args:
        column: The dataset's column with the answer; of a text with ``####`` what follows it.
        timeout: Seconds after which an expression is given up, and counts as not equal. Without effect outside the
            main thread, where math-verify can't stop its work.
    """

    name: ClassVar[str] = "math_verify"
    column: str = "answer"
    timeout: int = 5

    def __post_init__(self) -> None:
        expect_text(self.name, "column", self.column)
        expect_count(self.name, "timeout", self.timeout)
        if find_spec("math_verify") is None:
            raise RewardError(
                "reward function 'math_verify' needs the package 'math-verify', which is not installed.",
                fix="Install it: pip install 'math-verify[antlr4_13_2]'",
            )

    def __call__(self, prompts: Sequence[Turn], completions: Sequence[Turn], **columns: Any) -> list[float]:
        """One reward for each completion."""
        from math_verify import parse, verify

        answers = column(columns, self.column, wanted_by=self.name, count=len(completions))
        # math-verify stops its work by SIGALRM, which only the main thread can set
        timeout = self.timeout if threading.current_thread() is threading.main_thread() else None
        rewards = []
        for prompt, completion, answer in zip(prompts, completions, answers, strict=True):
            wanted = _expressions(str(answer).rpartition("####")[2].strip(), timeout)
            if not wanted:
                raise RewardError(
                    f"reward function 'math_verify' finds no expression in the '{self.column}' {shortened(answer)} of "
                    f"the prompt {shortened(prompt)}.",
                    fix="Leave such rows out of the dataset, or name another column.",
                )
            given = parse(text_of(completion), parsing_timeout=timeout)
            rewards.append(float(verify(wanted, given, timeout_seconds=timeout)))
        return rewards


def _expressions(answer: str, timeout: int | None) -> list[Any]:
    from math_verify import parse

    # an answer column often holds bare LaTeX, which is only read as such between dollars; prose must not be
    bare = not ("$" in answer or "\\boxed" in answer or _WORD.search(answer))
    return list(parse(f"${answer}$" if bare else answer, parsing_timeout=timeout))
