"""Whether a value in ``backend_args`` is one that the engine's field can hold."""

from __future__ import annotations

import ast
from math import isfinite
from os import PathLike, fspath
from typing import TYPE_CHECKING

from aligntune_core import Problem
from aligntune_core.jobs.read import read_job
from aligntune_core.wording import did_you_mean, shown
from aligntune_trl.checks.field_types import alternatives, fits, type_name
from aligntune_trl.translation.arguments import COMMON_KEYS, LORA_KEYS
from aligntune_trl.translation.fields import choices

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aligntune_trl.translation.fields import Field
    from aligntune_trl.translation.recipes import Recipe

_PLAIN = (bool, int, float, str, list, tuple, dict, type(None))
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "list": "a list",
    "tuple": "a list",
    "dict": "a mapping",
    "None": "null",
}
# the engine takes a value below 1 as a share of all steps, and more schedules than a job names
_SHARES = ("logging_steps", "save_steps", "eval_steps", "warmup_steps")
_WIDER = ("lr_scheduler_type",)
# annotated int, but only ever divided by
_NUMBERS = ("lora_alpha",)


def value_problems(key: str, name: str, value: object, field: Field, same: Mapping[str, str]) -> Iterator[Problem]:
    """What is wrong with a value that the user gives an engine's field.

    Args:
        key: The key as the user wrote it.
        name: The field's name.
        value: Its value. What no job file can hold (an object of the engine's) is left to the engine.
        field: The field.
        same: The names that are those of job keys, whose bounds hold for them too, with these keys.
    """
    if isinstance(value, PathLike):
        value = fspath(value)
    if type(value) not in _PLAIN or (value == field.default and type(value) is type(field.default)):
        return
    kinds = alternatives(ast.Name("float") if name in _NUMBERS else field.annotation)
    if not fits(value, kinds):
        yield _refused(key, value, kinds)
    elif name in same and name not in _WIDER and not (name in _SHARES and _is_share(value)):
        _, found = read_job({same[name]: value})
        for problem in found:
            if problem.key == same[name]:
                yield Problem(
                    problem.code, problem.message.replace(f"'{problem.key}'", f"'{key}'", 1), problem.fix, key
                )


def same_keys(recipe: Recipe) -> dict[str, str]:
    """The engine's names of what a job key sets too, with these keys."""
    names = {name: key for key, name in {**COMMON_KEYS, **recipe.keys}.items()}
    return {**names, "save_steps": "save_steps", "eval_steps": "eval_steps"}


def same_lora_keys() -> dict[str, str]:
    """The same for peft's LoraConfig."""
    return {name: key for key, name in LORA_KEYS.items()}


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value < 1


def _refused(key: str, value: object, kinds: list[ast.expr]) -> Problem:
    said = f"'{key}' is {shown(value)}"
    known = [choice for kind in kinds if isinstance(kind, ast.Name) for choice in choices(kind.id)]
    if known:
        fix = did_you_mean(str(value), known) if isinstance(value, str) else f"Known: {', '.join(known)}."
        if value is False and "no" in known:
            fix = "Write 'no' in quotes."
        return Problem("not-a-choice", f"{said}, which is not a choice.", fix, key)
    words = list(dict.fromkeys(_words(kind) for kind in kinds))
    words.sort(key="null".__eq__)
    return Problem("wrong-type", f"{said}, but {' or '.join(words)} is expected.", _as_number(value, kinds), key)


def _words(kind: ast.expr) -> str:
    name = type_name(kind)
    if name == "Literal" and isinstance(kind, ast.Subscript):
        return ast.unparse(kind.slice).strip("()").replace(", ", " or ")
    word = _WORDS.get(name, "")
    if name == "list" and isinstance(kind, ast.Subscript):
        inner = {"str": " of texts", "float": " of numbers", "int": " of whole numbers"}.get(type_name(kind.slice), "")
        return word + inner
    return word


def _as_number(value: object, kinds: list[ast.expr]) -> str:
    """What to write in place of a text that reads as a number, which YAML makes of 1e-4."""
    if not isinstance(value, str) or not {"int", "float"} & {type_name(kind) for kind in kinds}:
        return ""
    try:
        number = float(value)
    except ValueError:
        return ""
    if not isfinite(number):
        return ""
    if number.is_integer():
        return f"Write {int(number)}, without quotes."
    written = repr(number)
    if "e" in written and "." not in written:
        written = written.replace("e", ".0e")
    return f"Write {written}, without quotes."
