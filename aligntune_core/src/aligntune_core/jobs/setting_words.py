"""Settings in words, for documentation: what each takes, what it is by default and what it is for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aligntune_core.jobs.schema import settings_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel

_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "text",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
}
_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "greater than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}


@dataclass(frozen=True, slots=True)
class SettingWords:
    """One setting in words.

    Args:
        name: Its name.
        takes: What values it takes.
        default: Its default as JSON; empty where a job has to give it.
        meaning: What it is for; empty where its model does not say.
    """

    name: str
    takes: str
    default: str
    meaning: str


def setting_words(model: type[BaseModel]) -> Iterator[SettingWords]:
    """The settings of a model, in words.

    Args:
        model: The model.
    """
    schema = settings_schema(model)
    definitions = schema.get("$defs", {})
    for name, field in schema["properties"].items():
        default = json.dumps(field["default"]) if "default" in field else ""
        if not default and name not in schema.get("required", ()):
            default = "worked out"
        yield SettingWords(name, _takes(field, definitions), default, field.get("description", ""))


def _takes(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _takes(definitions.get(schema["$ref"].removeprefix("#/$defs/"), {}), definitions)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_takes(each, definitions) for each in schema["anyOf"]))
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    if choices:
        return f"one of {', '.join(map(str, choices))}" if len(choices) > 1 else str(choices[0])
    words = _TYPES.get(schema.get("type", ""), "any value")
    if isinstance(schema.get("items"), dict):
        words = f"a list, each {_takes(schema['items'], definitions)}"
    elif "prefixItems" in schema:
        items = [_takes(each, definitions) for each in schema["prefixItems"]]
        each = f"each {items[0]}" if len(set(items)) == 1 else "; ".join(items)
        words = f"a list of {len(items)}, {each}"
    bounds = [f"{said} {schema[key]}" for key, said in _BOUNDS.items() if key in schema]
    return f"{words}, {' and '.join(bounds)}" if bounds else words
