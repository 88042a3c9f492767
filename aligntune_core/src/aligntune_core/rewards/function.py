"""A reward function as engines get it: named, weighted and known to be callable the way engines call."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import RewardError
from aligntune_core.wording import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Container


@dataclass(frozen=True, slots=True)
class RewardFunction:
    """A function that scores completions.

    Called with ``prompts`` and ``completions`` and each of the dataset's columns as a keyword, all lists of one value
    for each completion, it returns a list of one reward for each completion. The weight is not applied: that is for the
    engine to do.

    Args:
        name: Its name in metrics and messages; no two of a job have the same.
        weight: What its rewards are multiplied by before those of all functions are added up.
        function: What is called.
    """

    name: str
    weight: float
    function: Callable[..., Any]

    def __call__(self, prompts: Any, completions: Any, **columns: Any) -> Any:
        return self.function(prompts=prompts, completions=completions, **columns)

    @property
    def __name__(self) -> str:
        return self.name


def name_of(function: Callable[..., Any]) -> str:
    """The name of a function, also of a partial one or of an object that can be called."""
    if isinstance(function, partial):
        return name_of(function.func)
    try:
        name = getattr(function, "name", None) or getattr(function, "__name__", None)
    except Exception:  # an object that fails when it is asked
        name = None
    return name.strip("<>") if isinstance(name, str) else type(function).__name__


def free_name(wanted: str, taken: Container[str]) -> str:
    """The name itself, or with the first number that makes it one that no other function has.

    Args:
        wanted: The name.
        taken: The others'.
    """
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def expect_callable(function: Any, text: str) -> None:
    """Refuse what engines could not call as a reward function.

    Args:
        function: What the job names.
        text: How the job names it.

    Raises:
        RewardError: If it is no function, or an asynchronous one, or can't be given the dataset's columns.
    """
    if inspect.isclass(function):
        raise RewardError(
            f"reward function '{text}' is a class.", fix="Make an object of it in your file, and name that."
        )
    if not callable(function):
        raise RewardError(f"reward function '{text}' is a {type(function).__name__}, not a function.")
    if _is_asynchronous(function):
        raise asynchronous(text)
    try:
        signature = inspect.signature(function)
    except Exception:  # compiled code has none, and an object of the user's own may fail when it is asked
        return
    try:
        signature.bind_partial(prompts=[], completions=[], completion_ids=[], any_column=[])
    except TypeError as error:
        raise RewardError(
            f"reward function '{text}' takes {signature}, but engines call it with prompts, completions and every "
            "column of the dataset as keywords.",
            fix="Let its parameters end in **columns.",
        ) from error


def _is_asynchronous(function: Any) -> bool:
    while isinstance(function, partial):
        function = function.func
    try:
        calls = (function, getattr(function, "__call__", None))  # noqa: B004 - its own __call__ may be the async one
        return any(inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call) for call in calls)
    except Exception:  # an object that fails when it is asked
        return False


def asynchronous(text: str) -> RewardError:
    """The error of an asynchronous function."""
    return RewardError(
        f"reward function '{text}' is asynchronous, and not every engine waits for such a function.",
        fix="Make it a plain function; for parallel requests use asyncio.run or a thread pool inside it.",
    )


def expect_weight(weight: Any, text: str) -> float:
    """The weight as a float.

    Raises:
        RewardError: If it is not a finite number.
    """
    largest = sys.float_info.max
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not -largest <= weight <= largest:
        raise RewardError(f"the weight of reward function '{text}' is {shown(weight)}, but must be a finite number.")
    return float(weight)
