"""The data formats that a backend brings, for the checks that look at a job's data."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from aligntune_core.backends.hooks import HookError, contained, listed
from aligntune_core.capabilities import Support

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.backends.backend import Backend
    from aligntune_core.backends.registry import Registry
    from aligntune_core.check.considered import Considered
    from aligntune_core.data.formats.table import Format
    from aligntune_core.problem import Problem


def formats_of(backend: Backend, known: Registry) -> tuple[Format, ...]:
    """The formats that a backend brings.

    Args:
        backend: The backend.
        known: The registry that it is of.

    Raises:
        HookError: If its hook fails, or gives something else than formats.
    """
    if backend.plugin is None:
        return ()
    with contained(backend, "said what its data formats are", through=()):
        found = known.hook(backend, "aligntune_formats")()
        if found is None:
            return ()
        from aligntune_core.data.formats.own import own_formats

        return own_formats(listed(found, "aligntune_formats"))


def formats_for_job(considered: Considered) -> tuple[Format, ...]:
    """The formats that a job's data may be in besides the core's: those of its backend, or of all that may be chosen.

    Args:
        considered: The job.

    Raises:
        HookError: If the hook of the backend that the job names fails, or gives something else than formats.
    """
    known, algorithm = considered.backends, considered.algorithm
    if considered.wanted != "auto":
        return formats_of(known.get(considered.wanted), known) if considered.wanted in known.names() else ()
    names = [name for name in known.names() if algorithm and _trains(known.declared(name), algorithm.name)]
    names = [name for name in names if known.may_implement(name, "aligntune_formats")]
    found: list[Format] = []
    for name in names:
        # one that fails is not chosen, and keeps no other from being
        with suppress(HookError):
            found += formats_of(known.light(name), known)
    return tuple(found)


def format_problems(backend: Backend, considered: Considered) -> Iterator[Problem]:
    """What is wrong with the formats that a backend brings.

    Args:
        backend: The backend.
        considered: The job.
    """
    try:
        formats_of(backend, considered.backends)
    except HookError as error:
        yield error.problem


def _trains(backend: Backend, algorithm: str) -> bool:
    info = backend.info
    return backend.ready and info is not None and info.capability(algorithm).support is not Support.UNSUPPORTED
