"""What this backend refuses of a job beyond the keys it does not declare: values that it can't follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core import Problem
from aligntune_core.wording import did_you_mean
from aligntune_minimal.settings import OWN_ARGS, PRECISIONS, SCHEDULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core import Job


def job_problems(job: Job) -> Iterator[Problem]:
    """Every problem that this backend finds in a job."""
    for key, known in (("lr_scheduler", SCHEDULES), ("precision", PRECISIONS)):
        value = getattr(job, key)
        if value is not None and value not in known:
            message = f"the backend 'minimal' has no {key} '{value}'."
            yield Problem("unsupported-value", message, f"Use one of {', '.join(known)}.", key)
    yield from _argument_problems(job)


def _argument_problems(job: Job) -> Iterator[Problem]:
    for name, value in job.backend_args.items():
        key = f"backend_args.{name}"
        if name not in OWN_ARGS:
            yield Problem("unknown-key", f"the backend 'minimal' has no '{name}'.", did_you_mean(name, OWN_ARGS), key)
        elif name == "adam_betas" and not _is_pair_of_shares(value):
            yield Problem("wrong-value", f"'{key}' is {value!r}.", "Give two numbers from 0 to below 1.", key)
        elif name == "unlikelihood_weight" and not (_is_number(value) and 0 <= value < float("inf")):
            yield Problem("wrong-value", f"'{key}' is {value!r}.", "Give a number, 0 or more.", key)
        elif name == "unlikelihood_weight" and job.algorithm != "unlikelihood":
            yield Problem("no-effect", f"'{key}' has no effect on '{job.algorithm}'.", "Leave it out.", key)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_pair_of_shares(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(_is_number(x) and 0 <= x < 1 for x in value)
