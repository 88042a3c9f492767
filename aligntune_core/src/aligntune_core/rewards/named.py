"""Reward functions that plugins bring under names of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.errors import RewardError
from aligntune_core.rewards.builtin.table import BUILTINS
from aligntune_core.rewards.spec import BuiltinReference, ModuleReference, entries, read
from aligntune_core.wording import closest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from aligntune_core.rewards.spec import RewardSpec


def names_in(spec: RewardSpec) -> list[str]:
    """The plain names among a job's reward functions, built-in ones and others.

    Args:
        spec: What the job's ``reward_functions`` says; what can't be read in it is left out.
    """
    try:
        texts = [what for what, _ in entries(spec) if isinstance(what, str)]
    except RewardError:
        return []
    found = []
    for text in texts:
        try:
            reference = read(text)
        except RewardError:
            continue
        if isinstance(reference, BuiltinReference):
            found.append(reference.name)
    return found


def behind_name(reference: Any, named: Mapping[str, str]) -> Any:
    """What a name stands for that a plugin brings; anything else as it is.

    Args:
        reference: What one text of a job's reward functions refers to.
        named: The functions that plugins bring, ``module:function`` by their names.

    Raises:
        RewardError: If the name has parameters, or there is none and one of these was probably meant.
    """
    if not isinstance(reference, BuiltinReference) or reference.name in BUILTINS:
        return reference
    name = reference.name
    if name not in named:
        match = closest(name, named)
        if match:
            raise RewardError(f"there is no reward function '{name}'.", fix=f"Did you mean '{match}'?")
        return reference
    if reference.parameters:
        raise RewardError(f"reward function '{name}' has parameters, which only built-in ones take.")
    module, _, function = named[name].partition(":")
    return ModuleReference(module, function)
