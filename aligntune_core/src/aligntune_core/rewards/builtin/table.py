"""The built-in reward functions by name, and how one is made with its parameters."""

from __future__ import annotations

from dataclasses import fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import RewardError
from aligntune_core.rewards.builtin.lengths import Length, SoftOverlong
from aligntune_core.rewards.builtin.matching import ExactMatch, FormatMatch, NumericMatch
from aligntune_core.rewards.builtin.mathematics import MathVerify
from aligntune_core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Builtin = ExactMatch | NumericMatch | FormatMatch | Length | SoftOverlong | MathVerify

BUILTINS: Mapping[str, type[Builtin]] = MappingProxyType(
    {kind.name: kind for kind in (ExactMatch, NumericMatch, FormatMatch, Length, SoftOverlong, MathVerify)}
)
"""The class of each built-in reward function, by the name that jobs give it."""


def make(name: str, parameters: Mapping[str, Any], max_completion_length: int | None) -> Callable[..., list[float]]:
    """The built-in reward function of that name with these parameters.

    Args:
        name: One of ``BUILTINS``.
        parameters: Its parameters by name; those left out have their defaults.
        max_completion_length: The job's, for functions that take it and were not given their own.

    Raises:
        RewardError: If there is no such function, or it can't have these parameters.
    """
    kind = BUILTINS.get(name)
    if kind is None:
        raise RewardError(f"there is no built-in reward function '{name}'.", fix=_correction(name))
    known = [field.name for field in fields(kind)]
    for parameter in parameters:
        if parameter not in known:
            raise RewardError(
                f"reward function '{name}' has no parameter '{parameter}'.", fix=did_you_mean(parameter, known)
            )
    if "max_completion_length" in known:
        parameters = {"max_completion_length": max_completion_length, **parameters}
    return kind(**parameters)


def _correction(name: str) -> str:
    builtins = did_you_mean(name, BUILTINS)
    return builtins if builtins.startswith("Did") else f"{builtins} Your own is written file.py:function."
