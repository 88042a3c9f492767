"""The reward functions that plugins bring, for a job that names one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.backends.registry import registry
from aligntune_core.errors import RewardError

if TYPE_CHECKING:
    from aligntune_core.backends.registry import Registry
    from aligntune_core.job import Job


def named_rewards(job: Job, known: Registry | None = None) -> dict[str, str]:
    """The functions behind names in a job's ``reward_functions``, as ``module:function``, for ``resolve``.

    A name is the core's, or that of the job's own backend, or that of any other one: others are looked at only for a
    name that these two don't have.

    Args:
        job: The job.
        known: The registry to ask; this process's own if None.

    Raises:
        RewardError: If a name means one thing to one plugin and another to another, or to the core.
    """
    if not job.reward_functions:
        return {}
    from aligntune_core.rewards.builtin.table import BUILTINS
    from aligntune_core.rewards.named import names_in

    names = names_in(job.reward_functions)
    known = known or registry()
    own = _brought(job.backend, known)
    for name in names:
        if name in own and name in BUILTINS:
            raise _ambiguous(name, f"it is built in, and backend '{job.backend}' brings another", own[name])
    missing = [name for name in names if name not in own and name not in BUILTINS]
    if not missing:
        return own
    found: dict[str, tuple[str, str]] = {}
    for backend in known.names():
        for name, function in _brought(backend, known).items():
            other, owner = found.setdefault(name, (function, backend))
            if other != function and name in missing:
                raise _ambiguous(name, f"'{owner}' and '{backend}' bring different ones", other)
    return {name: function for name, (function, _) in found.items()} | own


def _brought(backend: str, known: Registry) -> dict[str, str]:
    spelt = known.spelt(backend)
    info = known.declared(spelt).info if spelt else None
    return {each.name: each.function for each in info.rewards} if info else {}


def _ambiguous(name: str, why: str, function: str) -> RewardError:
    return RewardError(
        f"reward function '{name}' may mean several things: {why}.", fix=f"Name the function itself, e.g. {function}."
    )
