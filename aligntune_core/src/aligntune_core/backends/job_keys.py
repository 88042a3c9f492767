"""The job keys that plugins bring: keys at the top level of a job which only their own backends take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.backends.hooks import HookError, contained
from aligntune_core.backends.settings import model_class
from aligntune_core.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel

    from aligntune_core.backends.backend import Backend
    from aligntune_core.backends.registry import Registry
    from aligntune_core.job import Job


def job_keys_of(backend: Backend, known: Registry) -> type[BaseModel] | None:
    """The job keys that a backend brings; None where it brings none.

    Args:
        backend: The backend.
        known: The registry that it is of.

    Raises:
        HookError: If its hook fails, gives something else, or has a key that every job has.
    """
    if backend.plugin is None:
        return None
    from aligntune_core.job import Job
    from aligntune_core.jobs.settings import setting_names

    with contained(backend, "said what its job keys are", through=()):
        model = model_class(known.hook(backend, "aligntune_job_keys")(), "aligntune_job_keys")
        taken = sorted(set(setting_names(model)) & set(Job.model_fields)) if model else []
        if taken:
            raise ValueError(f"its aligntune_job_keys has '{taken[0]}', which is a key of every job")
        return model


def job_key_names(backend: Backend, known: Registry) -> frozenset[str]:
    """The names of the job keys that a backend brings; none where its hook fails, which its own check tells.

    Args:
        backend: The backend.
        known: The registry that it is of.
    """
    from aligntune_core.jobs.settings import setting_names

    try:
        model = job_keys_of(backend, known)
    except HookError:
        return frozenset()
    return frozenset(setting_names(model)) if model else frozenset()


def owners_of(key: str, known: Registry, names: Iterable[str] | None = None) -> list[str]:
    """The backends that bring a job key, in order of preference.

    Args:
        key: The job key.
        known: The registry to ask.
        names: The backends to ask; all if None, whose plugins are imported then.
    """
    asked = known.names() if names is None else names
    able = [name for name in asked if known.may_implement(name, "aligntune_job_keys")]
    return [name for name in able if key in job_key_names(known.light(name), known)]


def job_key_problems(backend: Backend, known: Registry, job: Job) -> list[Problem]:
    """What is wrong on a backend with the keys of a job that plugins bring.

    Args:
        backend: The backend.
        known: The registry that it is of.
        job: The job.
    """
    from aligntune_core.jobs.settings import setting_names, setting_problems

    try:
        model = job_keys_of(backend, known)
        names = setting_names(model) if model else {}
        mine = {key: value for key, value in job.further.items() if key in names}
        found = [not_its_own(key, backend.name, known) for key in job.further if key not in names]
        if model is not None:
            with contained(backend, "checked its job keys", through=()):
                found += setting_problems(model, mine, f"backend '{backend.name}'")
    except HookError as error:
        return [error.problem]
    return found


def not_its_own(key: str, backend: str, known: Registry, names: Iterable[str] | None = None) -> Problem:
    """The problem of a job key that other backends bring.

    Args:
        key: The key.
        backend: The backend that would run the job.
        known: The registry to ask for the others.
        names: Those to ask; all if None, whose plugins are imported then.
    """
    owners = owners_of(key, known, names)
    if not owners:
        return Problem("unsupported-key", f"backend '{backend}' does not take '{key}'.", "Leave it out.", key)
    whose = " and ".join(f"'{owner}'" for owner in owners)
    message = f"'{key}' belongs to backend {whose}, not to '{backend}'."
    return Problem("unsupported-key", message, f"Use backend='{owners[0]}', or leave '{key}' out.", key)
