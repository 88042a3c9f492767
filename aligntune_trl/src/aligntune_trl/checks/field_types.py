"""The type that an engine's source gives a field, as one that values can be held against."""

from __future__ import annotations

import ast
from functools import cache
from typing import Annotated, Any, Literal, Union

from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from aligntune_trl.translation.fields import choices


def alternatives(node: ast.expr) -> list[ast.expr]:
    """The types that a union is made of; the text that stands beside an enumeration is one of its values.

    Args:
        node: A field's annotation.
    """
    found = _parts(node)
    if any(isinstance(each, ast.Name) and choices(each.id) for each in found):
        found = [each for each in found if type_name(each) != "str"]
    return found


def type_name(node: ast.expr) -> str:
    """The name of one of them, without what it is made of; empty where it has none.

    Args:
        node: One of the types.
    """
    if isinstance(node, ast.Subscript):
        return type_name(node.value)
    if isinstance(node, ast.Constant) and node.value is None:
        return "None"
    return node.id.replace("List", "list").replace("Dict", "dict") if isinstance(node, ast.Name) else ""


def fits(value: object, kinds: list[ast.expr]) -> bool:
    """Whether a field can hold a value; a type that is none of Python's own holds any.

    Args:
        value: The value, as a job file has it.
        kinds: The types that the field takes.
    """
    try:
        _adapter(" | ".join(map(ast.unparse, kinds))).validate_python(value)
    except ValidationError:
        return False
    return True


@cache
def _adapter(annotation: str) -> TypeAdapter[Any]:
    return TypeAdapter(_type(ast.parse(annotation, mode="eval").body), config=ConfigDict(strict=True))


def _parts(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp):
        return [*_parts(node.left), *_parts(node.right)]
    if isinstance(node, ast.Subscript) and type_name(node) in {"Optional", "Union"}:
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        none = [ast.Constant(None)] if type_name(node) == "Optional" else []
        return [part for each in inner for part in _parts(each)] + none
    return [node]


def _type(node: ast.expr) -> Any:
    """The type as Python's own, with what engines take for it besides."""
    return Union[tuple(map(_single, alternatives(node)))]  # noqa: UP007 its members are known only here


def _single(node: ast.expr) -> Any:
    name = type_name(node)
    if isinstance(node, ast.Name) and choices(node.id):
        return Literal[choices(node.id)]
    if name == "Literal" and isinstance(node, ast.Subscript):
        members = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        # peft writes patterns among them, so only their type is sure
        return Union[tuple(type(each.value) for each in members if isinstance(each, ast.Constant))]  # noqa: UP007 as above
    if name == "list" and isinstance(node, ast.Subscript):
        return Annotated[list[_type(node.slice)], BeforeValidator(_as_list)]  # type: ignore[misc]
    return _PLAIN.get(name, Any)


def _as_list(value: object) -> object:
    """TRL and transformers take one text for a list of one, and a tuple for a list."""
    return [value] if isinstance(value, str) else list(value) if isinstance(value, tuple) else value


def _as_flag(value: object) -> object:
    return bool(value) if type(value) is int and value in {0, 1} else value


_PLAIN: dict[str, Any] = {
    "int": int,
    "float": float,
    "bool": Annotated[bool, BeforeValidator(_as_flag)],
    "str": str,
    "list": list | tuple,
    "tuple": list | tuple,
    "dict": dict,
    "None": None,
}
