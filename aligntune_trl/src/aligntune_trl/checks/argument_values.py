"""Whether a value in ``backend_args`` is one that the engine's field can hold."""

from __future__ import annotations

import ast
from math import isfinite
from os import PathLike, fspath
from typing import TYPE_CHECKING

from aligntune_core import Problem
from aligntune_core.jobs.read import read_job
from aligntune_core.wording import did_you_mean, shown
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
_TYPES: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "str": (str,),
    "list": (list, tuple),
    "tuple": (list, tuple),
    "dict": (dict,),
    "None": (type(None),),
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
    kinds = _alternatives(ast.Name("float") if name in _NUMBERS else field.annotation)
    if not any(_fits(value, kind) for kind in kinds):
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


def _alternatives(node: ast.expr) -> list[ast.expr]:
    """The types that a union is made of; the text that stands beside an enumeration is one of its values."""
    found = _parts(node)
    if any(isinstance(each, ast.Name) and choices(each.id) for each in found):
        found = [each for each in found if _name(each) != "str"]
    return found


def _parts(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp):
        return [*_parts(node.left), *_parts(node.right)]
    if isinstance(node, ast.Subscript) and _name(node) in {"Optional", "Union"}:
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        none = [ast.Constant(None)] if _name(node) == "Optional" else []
        return [part for each in inner for part in _parts(each)] + none
    return [node]


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    if isinstance(node, ast.Constant) and node.value is None:
        return "None"
    return node.id.replace("List", "list").replace("Dict", "dict") if isinstance(node, ast.Name) else ""


def _fits(value: object, node: ast.expr) -> bool:
    name = _name(node)
    if name == "Literal" and isinstance(node, ast.Subscript):
        members = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        # peft writes patterns among them, so only their type is sure
        return any(isinstance(each, ast.Constant) and type(value) is type(each.value) for each in members)
    if isinstance(node, ast.Name) and choices(node.id):
        return value in choices(node.id)
    if name not in _TYPES:
        return True
    if name == "bool" and type(value) is int:
        return value in {0, 1}
    if name == "list" and isinstance(node, ast.Subscript):
        # TRL and transformers take one text for a list of one
        items = value if isinstance(value, list | tuple) else [value] if isinstance(value, str) else None
        return items is not None and all(any(_fits(item, kind) for kind in _alternatives(node.slice)) for item in items)
    return isinstance(value, _TYPES[name]) and (name == "bool" or not isinstance(value, bool))


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
    name = _name(kind)
    if name == "Literal" and isinstance(kind, ast.Subscript):
        return ast.unparse(kind.slice).strip("()").replace(", ", " or ")
    word = _WORDS.get(name, "")
    if name == "list" and isinstance(kind, ast.Subscript):
        inner = {"str": " of texts", "float": " of numbers", "int": " of whole numbers"}.get(_name(kind.slice), "")
        return word + inner
    return word


def _as_number(value: object, kinds: list[ast.expr]) -> str:
    """What to write in place of a text that reads as a number, which YAML makes of 1e-4."""
    if not isinstance(value, str) or not {"int", "float"} & {_name(kind) for kind in kinds}:
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
