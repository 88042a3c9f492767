"""Which of the keys that a job has and the core doesn't know are brought by a plugin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aligntune_core.backends.job_keys import job_key_names, not_its_own, owners_of
from aligntune_core.check.choose import AUTO
from aligntune_core.job import Job
from aligntune_core.jobs.read import unknown_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aligntune_core.backends.registry import Registry
    from aligntune_core.problem import Problem


@dataclass(frozen=True, slots=True)
class BroughtKeys:
    """What is known of the keys of a job that the core does not have.

    Args:
        names: The keys that the backend brings which the job names; where the choice is left, those of all.
        problems: What is wrong with a key that only another backend brings, by the key.
    """

    names: frozenset[str] = frozenset()
    problems: Mapping[str, Problem] = field(default_factory=dict)


def brought_keys(values: Mapping[str, Any], known: Registry) -> BroughtKeys:
    """The keys that plugins bring, of those in a job.

    Args:
        values: The job's keys with their values.
        known: The registry of backends.
    """
    unknown = [key for key, value in values.items() if value is not None and key not in Job.model_fields]
    keys = [key for key in unknown if isinstance(key, str)]
    if not keys:
        return BroughtKeys()
    wanted = values.get("backend")
    wanted = AUTO if wanted is None else wanted
    # what is no text is told as that, and may fail when it is looked at
    backend = known.spelt(wanted) if isinstance(wanted, str) else None
    if backend is None:
        # where the choice is left any of them may take it; a name that nobody has is told as that
        return BroughtKeys(frozenset(key for key in keys if owners_of(key, known)))
    names = job_key_names(known.get(backend), known)
    # others are asked only of what is no misspelling, and none is imported for it
    alien = [key for key in keys if key not in names and not unknown_key(key, names).fix.startswith("Did you mean")]
    others = known.unimported()
    return BroughtKeys(
        names, {key: not_its_own(key, backend, known, others) for key in alien if owners_of(key, known, others)}
    )
