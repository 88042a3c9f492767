"""From what a job says of its reward functions to the functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import RewardError
from aligntune_core.rewards.builtin.table import make
from aligntune_core.rewards.function import RewardFunction, expect_callable, expect_weight, free_name, name_of
from aligntune_core.rewards.loading import from_file, from_module
from aligntune_core.rewards.named import behind_name
from aligntune_core.rewards.spec import (
    BuiltinReference,
    FileReference,
    ModuleReference,
    Reference,
    RewardSpec,
    entries,
    read,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import ModuleType


def resolve(
    spec: RewardSpec, *, max_completion_length: int | None = None, named: Mapping[str, str] | None = None
) -> tuple[RewardFunction, ...]:
    """The reward functions a job names, in its order. Runs the files and imports the modules that hold them.

    Args:
        spec: What the job's ``reward_functions`` says; ``spec.py`` describes the form of the texts in it. Functions
            of the same name are told apart by numbers: ``score``, ``score_2``.
        max_completion_length: The job's, in tokens, for the functions that depend on it.
        named: The functions that plugins bring, ``module:function`` by their names;
            ``aligntune_core.check.named_rewards`` has those of a job.

    Raises:
        RewardError: If one of them can't be found, can't be loaded, is named twice, or can't be a reward function.
    """
    loaded: dict[Path, ModuleType] = {}
    names = Names()
    resolved = []
    for what, weight in entries(spec):
        text = text_of_entry(what)
        reference = read(what) if isinstance(what, str) else what
        name = names.take(reference, text)
        function = _found(behind_name(reference, named or {}), max_completion_length, loaded)
        expect_callable(function, text)
        resolved.append(RewardFunction(name, expect_weight(weight, text), function))
    return tuple(resolved)


def text_of_entry(what: Any) -> str:
    """How messages call one entry of a spec."""
    return what if isinstance(what, str) else name_of(what) if callable(what) else repr(what)


@dataclass(slots=True)
class Names:
    """The names of a job's reward functions, each given once."""

    seen: list[Any] = field(default_factory=list)
    given: set[str] = field(default_factory=set)

    def take(self, reference: Reference | Callable[..., Any], text: str) -> str:
        """A name for one more function that no other has.

        Raises:
            RewardError: If the same function was named before.
        """
        if any(_is_same(reference, other) for other in self.seen):
            raise RewardError(
                f"reward function '{text}' is named twice.", fix="Name it once; a weight makes it count for more."
            )
        self.seen.append(reference)
        name = free_name(_plain_name(reference), self.given)
        self.given.add(name)
        return name


def _is_same(one: Any, other: Any) -> bool:
    try:
        return one is other or bool(one == other)
    except Exception:  # functions are objects of anybody's, and some can't be compared
        return False


def _plain_name(reference: Reference | Callable[..., Any]) -> str:
    if isinstance(reference, BuiltinReference):
        return reference.name
    if isinstance(reference, FileReference | ModuleReference):
        return reference.function
    return name_of(reference)


def _found(reference: Any, max_completion_length: int | None, loaded: dict[Path, ModuleType]) -> Any:
    if isinstance(reference, BuiltinReference):
        return make(reference.name, reference.parameters, max_completion_length)
    if isinstance(reference, FileReference):
        return from_file(reference, loaded)
    if isinstance(reference, ModuleReference):
        return from_module(reference)
    return reference
