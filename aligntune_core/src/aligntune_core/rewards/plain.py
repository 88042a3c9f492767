"""A reward function called for somebody who can only be given plain values: an engine in another process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import AlignTuneError
from aligntune_core.rewards.guard import failure
from aligntune_core.rewards.returns import rewards_in

if TYPE_CHECKING:
    from aligntune_core.rewards.texts import Turn

_PLAIN = bool | int | float | str | None


def plain_rewards(
    function: Callable[..., Any],
    name: str,
    prompts: Sequence[Turn],
    completions: Sequence[Turn],
    columns: Mapping[str, Any],
) -> list[Any]:
    """What a function returns, as a list of plain values; whether they are right is for who gets them to say.

    Args:
        function: The function.
        name: Its name.
        prompts: What the completions answer.
        completions: What is to be scored.
        columns: What else it is given, by name.

    Raises:
        RewardError: If the function fails, or returns what can't be a list of rewards.
    """
    try:
        returned = function(prompts=prompts, completions=completions, **columns)
        values = returned.tolist() if hasattr(returned, "tolist") else returned
        if isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping | set | frozenset):
            returned = [_number(value) for value in values]
            if all(isinstance(value, _PLAIN) for value in returned):
                return returned
        # which says what is wrong with it
        return rewards_in(returned, name=name, prompts=prompts, completions=completions, allow_missing=True)
    except AlignTuneError:
        raise
    except (Exception, SystemExit) as error:
        raise failure(name, error, columns) from error


def _number(value: Any) -> Any:
    if isinstance(value, _PLAIN):
        return value
    try:
        return float(value)
    except Exception:  # what is no number is told as what it is
        return value
