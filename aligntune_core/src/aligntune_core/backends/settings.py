"""The settings that a backend declares of itself: of ``backend_args``, for each algorithm that it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.backends.hooks import HookError, contained
from aligntune_core.capabilities import Support
from aligntune_core.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from aligntune_core.backends.backend import Backend
    from aligntune_core.backends.registry import Registry

PLACE = "backend_args"


def settings_of(backend: Backend, known: Registry, algorithm: str) -> type[BaseModel] | None:
    """What a job may say in ``backend_args`` for an algorithm; None where the backend does not declare it.

    Args:
        backend: The backend.
        known: The registry that it is of.
        algorithm: An algorithm that it trains.

    Raises:
        HookError: If its hook fails, or gives something else.
    """
    if backend.plugin is None:
        return None
    with contained(backend, "said what its settings are", through=()):
        return model_class(known.hook(backend, "aligntune_settings")(algorithm=algorithm), "aligntune_settings")


def all_settings(backend: Backend, known: Registry) -> dict[str, type[BaseModel]]:
    """The settings of each algorithm that a backend trains, where it declares them.

    Args:
        backend: The backend.
        known: The registry that it is of.

    Raises:
        HookError: If its hook fails, or gives something else.
    """
    rows = backend.info.capabilities if backend.info else ()
    names = [row.algorithm for row in rows if row.support is not Support.UNSUPPORTED]
    found = {name: settings_of(backend, known, name) for name in names}
    return {name: model for name, model in found.items() if model is not None}


def all_schemas(backend: Backend, known: Registry) -> dict[str, dict[str, Any]]:
    """The settings of each algorithm that a backend trains, as JSON Schema, where it declares them.

    Args:
        backend: The backend.
        known: The registry that it is of.

    Raises:
        HookError: If its hook fails, or gives what can't be described.
    """
    from aligntune_core.jobs.schema import settings_schema

    models = all_settings(backend, known)
    with contained(backend, "described its settings", through=()):
        return {name: settings_schema(model) for name, model in models.items()}


def argument_problems(backend: Backend, known: Registry, algorithm: str, values: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with a job's ``backend_args``, as far as the backend's settings tell.

    Args:
        backend: The backend.
        known: The registry that it is of.
        algorithm: What the job trains with.
        values: Its ``backend_args``.
    """
    from aligntune_core.jobs.settings import setting_names, setting_problems

    row = backend.info.capability(algorithm) if backend.info else None
    if row is None or row.support is Support.UNSUPPORTED:
        return []
    try:
        model = settings_of(backend, known, algorithm)
        if model is None:
            return []
        with contained(backend, "checked its settings", through=()):
            problems = setting_problems(model, values, f"backend '{backend.name}'", PLACE)
        strange = {problem.key for problem in problems if problem.code == "unknown-key"}
        others = {name for each in all_settings(backend, known).values() for name in setting_names(each)}
    except HookError as error:
        return [error.problem]
    idle = {f"{PLACE}.{name}" for name in others} & strange
    return [
        Problem("no-effect", f"'{each.key}' has no effect on '{algorithm}'.", "Leave it out.", each.key)
        if each.key in idle
        else each
        for each in problems
    ]


def model_class(found: Any, hook: str) -> type[BaseModel] | None:
    """What a hook gave, if that is a pydantic model or nothing.

    Args:
        found: What it gave.
        hook: The hook.

    Raises:
        TypeError: If it is something else.
    """
    from pydantic import BaseModel

    if found is None or (isinstance(found, type) and issubclass(found, BaseModel)):
        return found
    raise TypeError(f"its {hook} gave {found!r:.60}, not a class of pydantic's BaseModel")
