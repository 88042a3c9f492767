"""What is wrong with a job's reward functions, as far as it can be known without running anybody's code."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import RewardError
from aligntune_core.problem import Problem, Severity
from aligntune_core.rewards.builtin.table import make
from aligntune_core.rewards.function import asynchronous, expect_callable, expect_weight
from aligntune_core.rewards.loading import no_function, no_module
from aligntune_core.rewards.named import behind_name
from aligntune_core.rewards.outline import existing, outline
from aligntune_core.rewards.resolve import Names, text_of_entry
from aligntune_core.rewards.spec import BuiltinReference, FileReference, ModuleReference, RewardSpec, entries, read

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "reward_functions"

_LONG_ENOUGH = sys.maxsize


def problems(
    spec: RewardSpec, *, max_completion_length: int | None = None, named: Mapping[str, str] | None = None
) -> list[Problem]:
    """Every problem of the reward functions a job names that can be known before their code runs.

    Files are read and not run, modules are looked for and not imported. Errors found here ``resolve`` raises too.

    Args:
        spec: What the job's ``reward_functions`` says.
        max_completion_length: The job's, in tokens, for the functions that depend on it. None where the job leaves it
            to the engine, whose default is not known here and taken to be long enough.
        named: The functions that plugins bring, ``module:function`` by their names.
    """
    try:
        given = entries(spec)
    except RewardError as error:
        return [_problem(error)]
    found: list[Problem] = []
    names = Names()
    for what, weight in given:
        text = text_of_entry(what)
        try:
            reference = read(what) if isinstance(what, str) else what
            names.take(reference, text)
            _look_for(behind_name(reference, named or {}), text, max_completion_length)
        except RewardError as error:
            found.append(_problem(error))
        try:
            if expect_weight(weight, text) == 0:
                found.append(_no_weight(text))
        except RewardError as error:
            found.append(_problem(error, "reward-weight"))
    return found


def _look_for(reference: Any, text: str, max_completion_length: int | None) -> None:
    if isinstance(reference, BuiltinReference):
        make(reference.name, reference.parameters, max_completion_length or _LONG_ENOUGH)
    elif isinstance(reference, FileReference):
        _look_into(reference, text)
    elif isinstance(reference, ModuleReference):
        top = reference.module.partition(".")[0]
        if not _is_importable(top):
            raise no_module(top, reference)
    else:
        expect_callable(reference, text)


def _look_into(reference: FileReference, text: str) -> None:
    contents = outline(existing(reference.path))
    first = reference.function.partition(".")[0]
    if contents.complete and first not in contents.names:
        raise no_function(reference.function, f"file '{reference.path}'", contents.functions)
    if reference.function in contents.asynchronous:
        raise asynchronous(text)


def _is_importable(top: str) -> bool:
    try:
        return find_spec(top) is not None
    except ValueError:  # a module that is loaded and says nothing of where it came from, such as __main__
        return True


def _problem(error: RewardError, code: str = "") -> Problem:
    return Problem(code or "reward-function", error.message, error.fix, KEY)


def _no_weight(text: str) -> Problem:
    return Problem(
        "reward-weight",
        f"the weight of reward function '{text}' is 0: it is measured and teaches nothing.",
        "Leave it so, or give it another weight.",
        KEY,
        Severity.WARNING,
    )
