"""What a reward function returned, read as rewards."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import RewardError
from aligntune_core.rewards.texts import Turn, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence


def rewards_in(
    returned: Any, *, name: str, prompts: Sequence[Turn], completions: Sequence[Turn], allow_missing: bool = False
) -> list[float | None]:
    """The rewards in what a function returned, one for each completion.

    Args:
        returned: A list of numbers, or an array or tensor of one dimension.
        name: The function's name.
        prompts: What the completions answer.
        completions: What was scored.
        allow_missing: Whether None and NaN stand for "no reward", and come out as None.

    Raises:
        RewardError: If there is not one finite number for each completion.
    """
    values = _listed(returned, name)
    if len(values) != len(completions):
        raise RewardError(
            f"reward function '{name}' returned {len(values)} rewards for {len(completions)} completions.",
            fix="It must return one number for each completion, in their order.",
        )
    rewards: list[float | None] = []
    for value, prompt, completion in zip(values, prompts, completions, strict=True):
        try:
            rewards.append(_number(value, allow_missing))
        except ValueError as error:
            raise RewardError(
                f"reward function '{name}' returned {error} for the completion {shortened(completion)} to the prompt "
                f"{shortened(prompt)}.",
                fix="It must return a finite number for each completion.",
            ) from None
    return rewards


def _listed(returned: Any, name: str) -> list[Any]:
    if inspect.isawaitable(returned):
        if inspect.iscoroutine(returned):
            returned.close()
        raise RewardError(
            f"reward function '{name}' returned something to await, and engines don't wait.",
            fix="Make it return the rewards themselves.",
        )
    values = returned.tolist() if hasattr(returned, "tolist") else returned
    if not isinstance(values, Iterable) or isinstance(values, str | bytes | Mapping | set | frozenset):
        described = "None" if returned is None else f"a {type(returned).__name__}"
        raise RewardError(
            f"reward function '{name}' returned {described}, not a list of rewards.",
            fix="Does it end without a return?" if returned is None else "It must return one number per completion.",
        )
    return list(values)


def _number(value: Any, allow_missing: bool) -> float | None:
    if value is None:
        if allow_missing:
            return None
        raise ValueError("None")
    if isinstance(value, str | bytes):
        raise ValueError(f"the text {shortened(value, 40)}")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise ValueError(f"{shortened(repr(value), 40)} ({type(value).__name__}, not a number)") from None
    if math.isnan(number) and allow_missing:
        return None
    if not math.isfinite(number):
        raise ValueError("NaN" if math.isnan(number) else str(number))
    return number
