"""Reward functions tried out before training, on completions that nobody wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.errors import RewardError
from aligntune_core.rewards.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MADE_UP = ("The answer is 42.", "")
"""What the model is made to have said: something, and nothing, as happens in training."""


def probe(
    functions: Iterable[Callable[..., Any]], rows: Iterable[Mapping[str, Any]], *, allow_missing: bool = False
) -> None:
    """Call each function as training would, on made-up completions of the given rows.

    Args:
        functions: The reward functions.
        rows: Rows of the dataset, the first one or few, with a ``prompt`` (text or messages) and other columns.
        allow_missing: Whether a function may give no reward (None or NaN).

    Raises:
        RewardError: If a function fails, or returns anything but a finite number for each completion.
    """
    functions = tuple(functions)
    for row in rows:
        if "prompt" not in row:
            raise RewardError(f"a row has no 'prompt' to score completions of: its columns are {', '.join(row)}.")
        columns = {name: [value] * len(MADE_UP) for name, value in row.items() if name not in _ENGINE_S}
        columns["completion_ids"] = [list(range(len(text.split()) + 1)) for text in MADE_UP]
        for function in functions:
            guarded(function, allow_missing=allow_missing)(
                prompts=[row["prompt"]] * len(MADE_UP), completions=_completions(row["prompt"]), **columns
            )


_ENGINE_S = {"prompt", "prompts", "completion", "completions", "completion_ids"}


def _completions(prompt: object) -> list[Any]:
    if isinstance(prompt, str):
        return list(MADE_UP)
    return [[{"role": "assistant", "content": text}] for text in MADE_UP]
