"""The fields that an engine's configuration class takes, read from its source without importing it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_trl.translation.recipes import RECIPES

if TYPE_CHECKING:
    from collections.abc import Mapping

_SOURCES = {
    **{recipe.config: (recipe.package, recipe.source) for recipe in RECIPES.values()},
    "LoraConfig": ("peft", "tuners/lora/config.py"),
}
_BASES = {
    "trl": (
        ("transformers", "training_args.py", "TrainingArguments"),
        ("trl", "trainer/base_config.py", "_BaseConfig"),
    ),
    "aligntune_trl": (("transformers", "training_args.py", "TrainingArguments"),),
    "peft": (("peft", "config.py", "PeftConfigMixin"), ("peft", "config.py", "PeftConfig")),
}
_CHOICES = ("trainer_utils.py", "training_args.py", "debug_utils.py")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a configuration class.

    Args:
        annotation: Its type, as written.
        default: Its default; None where it has none or one that is not a plain value.
    """

    annotation: ast.expr
    default: Any = None


@cache
def config_fields(config: str) -> frozenset[str]:
    """The names of a configuration class's fields; empty where its source can't be found.

    Args:
        config: The class's name: a configuration of TRL's, or ``LoraConfig``.
    """
    return frozenset(declared_fields(config))


def declared_fields(config: str) -> Mapping[str, Field]:
    """The fields of a configuration class by name; empty where its source can't be found.

    Args:
        config: The class's name: a configuration of TRL's, or ``LoraConfig``.
    """
    package, path = _SOURCES[config]
    own = _fields(package, path, config)
    if not own:
        return {}
    return {name: field for base in _BASES[package] for name, field in _fields(*base).items()} | own


@cache
def choices(enum: str) -> tuple[str, ...]:
    """The values of one of transformers' enumerations of texts; empty where there is none of that name.

    Args:
        enum: The enumeration's name, e.g. ``OptimizerNames``.
    """
    for path in _CHOICES:
        for node in _statements("transformers", path):
            if isinstance(node, ast.ClassDef) and node.name == enum:
                values = [statement.value for statement in node.body if isinstance(statement, ast.Assign)]
                return tuple(text for each in values if (text := _text(each)) is not None)
    return ()


def mapping_keys(package: str, path: str, name: str) -> frozenset[str]:
    """The keys of a mapping that a module of an engine's defines; empty where it can't be found.

    Args:
        package: The engine's package.
        path: The module's path in it.
        name: The mapping's name.
    """
    return frozenset(
        text
        for node in _statements(package, path)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
        if any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
        for key in node.value.keys
        if (text := _text(key)) is not None
    )


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _fields(package: str, path: str, name: str) -> dict[str, Field]:
    return {
        statement.target.id: Field(statement.annotation, _default(statement.value))
        for node in _statements(package, path)
        if isinstance(node, ast.ClassDef) and node.name == name
        for statement in node.body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    }


def _default(value: ast.expr | None) -> Any:
    if isinstance(value, ast.Call):
        value = next((keyword.value for keyword in value.keywords if keyword.arg == "default"), None)
    try:
        return ast.literal_eval(value) if value else None
    except ValueError:
        return None


def _statements(package: str, path: str) -> list[ast.stmt]:
    try:
        spec = find_spec(package)
    except ValueError:  # a module of that name was put into the process by hand
        spec = None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        source = Path(folder, path)
        if source.is_file():
            return _parsed(source)
    return []


@cache
def _parsed(source: Path) -> list[ast.stmt]:
    return ast.parse(source.read_bytes()).body
