"""The JSON Schema of a job file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.job import Job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel


def job_schema(
    settings: Mapping[str, Mapping[str, type[BaseModel]]] | None = None,
    keys: Mapping[str, type[BaseModel]] | None = None,
) -> dict[str, Any]:
    """The JSON Schema of a job file: every key with its type, its bounds and what it means.

    Args:
        settings: What ``backend_args`` may hold, by the names of backends and of the algorithms that they train.
        keys: The job keys that backends bring, by their names.
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
    cases += _brought(keys or {}, schema["properties"], definitions)
    return {**schema, **({"$defs": definitions} if definitions else {}), **({"allOf": cases} if cases else {})}


def _brought(
    models: Mapping[str, type[BaseModel]], properties: dict[str, Any], definitions: dict[str, Any]
) -> list[dict[str, Any]]:
    """What holds of the keys that backends bring; the keys are added to those that a job may have."""
    cases: list[dict[str, Any]] = []
    owners: dict[str, list[str]] = {}
    for backend, model in models.items():
        own = settings_schema(model, f"{backend}.{model.__name__}.")
        definitions |= own.get("$defs", {})
        condition = {"properties": {"backend": {"const": backend}}, "required": ["backend"]}
        needed = {"required": own["required"]} if own.get("required") else {}
        cases.append({"if": condition, "then": {"properties": own["properties"], **needed}})
        for key, each in own["properties"].items():
            owners.setdefault(key, []).append(backend)
            properties.setdefault(key, {"description": each.get("description", f"A key of backend {backend}")})
    for key, names in owners.items():
        cases.append({"if": {"required": [key]}, "then": {"properties": {"backend": {"enum": [*names, "auto"]}}}})
    return cases


def settings_schema(model: type[BaseModel], prefix: str = "") -> dict[str, Any]:
    """The JSON Schema of settings, which holds no others than those that it names.

    Args:
        model: The settings.
        prefix: What stands before the names of definitions that it refers to.
    """
    schema = model.model_json_schema(ref_template=f"#/$defs/{prefix}{{model}}")
    found = {"type": "object", "properties": {}, **schema, "additionalProperties": False}
    found["$defs"] = {f"{prefix}{name}": each for name, each in schema.get("$defs", {}).items()}
    return {key: value for key, value in found.items() if value or key != "$defs"}


def _schemas(
    backend: str, models: Mapping[str, type[BaseModel]], definitions: dict[str, Any]
) -> list[tuple[list[str], dict[str, Any]]]:
    """Each different schema with the algorithms that have it; what they refer to is added to the definitions."""
    found: list[tuple[list[str], dict[str, Any]]] = []
    for model in dict.fromkeys(models.values()):
        schema = settings_schema(model, f"{backend}.{model.__name__}.")
        definitions |= schema.pop("$defs", {})
        found.append(([name for name, each in models.items() if each is model], schema))
    return found


def _case(backend: str, algorithms: list[str], schema: dict[str, Any]) -> dict[str, Any]:
    condition = {"backend": {"const": backend}, "algorithm": {"enum": algorithms}}
    return {
        "if": {"properties": condition, "required": [*condition]},
        "then": {"properties": {"backend_args": schema}},
    }
