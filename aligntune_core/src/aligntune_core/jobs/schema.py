"""The JSON Schema of a job file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aligntune_core.job import Job
from aligntune_core.jobs.alike import alike

if TYPE_CHECKING:
    from pydantic import BaseModel


def job_schema(
    settings: Mapping[str, Mapping[str, type[BaseModel] | Mapping[str, Any]]] | None = None,
) -> dict[str, Any]:
    """The JSON Schema of a job file: every key with its type, its bounds and what it means.

    Args:
        settings: What ``backend_args`` may hold, as a model or as its JSON Schema, by the names of backends and of the
            algorithms that they train.
    """
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Job.model_json_schema(),
        "title": "AlignTune job",
        "description": "A request to train one model with one algorithm on one dataset.",
        "additionalProperties": False,
    }
    definitions: dict[str, Any] = dict(schema.pop("$defs", {}))
    cases = [
        _case(backend, algorithms, own)
        for backend, models in (settings or {}).items()
        for algorithms, own in _schemas(backend, models, definitions)
    ]
    return {**schema, **({"$defs": definitions} if definitions else {}), **({"allOf": cases} if cases else {})}


def settings_schema(settings: type[BaseModel] | Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema of settings, which holds no others than those that it names.

    Args:
        settings: The settings as a model, or as this schema itself.
    """
    if isinstance(settings, Mapping):
        return dict(settings)
    return {"type": "object", "properties": {}, **settings.model_json_schema(), "additionalProperties": False}


def _schemas(
    backend: str, models: Mapping[str, type[BaseModel] | Mapping[str, Any]], definitions: dict[str, Any]
) -> list[tuple[list[str], dict[str, Any]]]:
    """Each different schema with the algorithms that have it; what they refer to is added to the definitions."""
    found: list[tuple[list[str], dict[str, Any]]] = []
    for algorithms, schema in alike({name: settings_schema(each) for name, each in models.items()}):
        prefix = f"{backend}.{algorithms[0]}."
        own = {name: _prefixed(each, prefix) for name, each in schema.pop("$defs", {}).items()}
        definitions |= {f"{prefix}{name}": each for name, each in own.items()}
        found.append((algorithms, _prefixed(schema, prefix)))
    return found


def _prefixed(schema: Any, prefix: str) -> Any:
    """A schema whose references are to definitions with something before their names."""
    if isinstance(schema, Mapping):
        return {key: _prefixed(each, prefix) for key, each in schema.items()}
    if isinstance(schema, list):
        return [_prefixed(each, prefix) for each in schema]
    is_reference = isinstance(schema, str) and schema.startswith(_DEFINITIONS)
    return f"{_DEFINITIONS}{prefix}{schema.removeprefix(_DEFINITIONS)}" if is_reference else schema


_DEFINITIONS = "#/$defs/"


def _case(backend: str, algorithms: list[str], schema: dict[str, Any]) -> dict[str, Any]:
    condition = {"backend": {"const": backend}, "algorithm": {"enum": algorithms}}
    return {
        "if": {"properties": condition, "required": [*condition]},
        "then": {"properties": {"backend_args": schema}},
    }
