"""Settings that a plugin describes as a pydantic model: what is wrong with the values that a job gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from aligntune_core.jobs.values import kind_wanted, value_problem
from aligntune_core.problem import Problem
from aligntune_core.wording import did_you_mean, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails


def setting_names(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by the names that a job gives them: their aliases, where they have any.

    Args:
        model: The model.
    """
    return {field.alias or name: field for name, field in model.model_fields.items()}


def setting_problems(model: type[BaseModel], values: Mapping[Any, Any], owner: str, prefix: str = "") -> list[Problem]:
    """Everything that is wrong with the values of settings: unknown names, wrong types, values out of bounds.

    Args:
        model: The settings.
        values: What a job says.
        owner: Whose settings they are, as a message has it: ``backend 'acme'``.
        prefix: The job key that holds them; empty where they are job keys themselves.
    """
    known = setting_names(model)
    start = f"{prefix}." if prefix else ""
    problems = [
        Problem(
            "unknown-key",
            f"{owner} has no setting {shown(name)}.",
            did_you_mean(name, known) if isinstance(name, str) else "",
            f"{start}{name if isinstance(name, str) else shown(name)}",
        )
        for name in values
        if name not in known
    ]
    given = {name: value for name, value in values.items() if name in known}
    problems += [
        Problem("wrong-type", f"'{start}{name}' is {value!r}, but a number is expected.", "", f"{start}{name}")
        for name, value in given.items()
        if isinstance(value, bool) and _takes_numbers_alone(known[name])
    ]
    flags = {problem.key for problem in problems}
    try:
        model.model_validate(given)
    except ValidationError as error:
        found = _by_place(error.errors(include_url=False), given)
        named = ((start + key if key else prefix, value, details) for key, value, details in found)
        problems += [_problem(key, value, details, prefix) for key, value, details in named if key not in flags]
    return problems


def _takes_numbers_alone(field: FieldInfo) -> bool:
    # pydantic reads true as 1, which nobody means
    return field.annotation in {int, float, int | None, float | None}


def _by_place(errors: list[ErrorDetails], given: Mapping[str, Any]) -> Iterator[tuple[str, Any, list[ErrorDetails]]]:
    """What pydantic says, by the dotted key of the value that it is about."""
    places: dict[str, tuple[Any, list[ErrorDetails]]] = {}
    for details in errors:
        path, value = _walked(details["loc"], given)
        if details["type"] == "missing" and len(path) < len(details["loc"]):
            path, value = [*path, str(details["loc"][-1])], None
        places.setdefault(".".join(path), (value, []))[1].append(details)
    for key, (value, said) in places.items():
        yield key, value, said


def _walked(location: tuple[int | str, ...], given: Any) -> tuple[list[str], Any]:
    """The part of a location that is in the values, and what is there; the rest names members of a union."""
    path: list[str] = []
    for part in location:
        inside = isinstance(given, dict) and part in given
        inside = inside or (isinstance(given, list | tuple) and isinstance(part, int) and part < len(given))
        if inside:
            path.append(str(part))
            given = given[part]
    return path, given


def _problem(key: str, value: Any, said: list[ErrorDetails], prefix: str) -> Problem:
    if said[0]["type"] == "missing":
        return Problem("missing-key", f"the job has no '{key}'.", f"Add {key}.", key)
    if key == prefix:
        reason = said[0].get("ctx", {}).get("error", said[0]["msg"])
        return Problem("contradiction", f"'{key}' can't be taken together: {str(reason).rstrip('.')}.", "", key)
    kinds = [kind_wanted(details) or details.get("ctx", {}).get("expected", "") for details in said]
    # of the types that it may be, one that takes its kind of value says more
    close = next((details for details, kind in zip(said, kinds, strict=True) if not kind), None)
    if close or len(said) == 1:
        return value_problem(key, value, close or said[0])
    return value_problem(key, value, said[0], " or ".join(dict.fromkeys(kinds)))
