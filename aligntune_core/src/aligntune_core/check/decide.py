"""The one place where it is decided whether a job can run, on which backend, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import find_algorithm
from aligntune_core.backends.features import required_features
from aligntune_core.backends.hooks import HookError
from aligntune_core.backends.registry import Registry, registry
from aligntune_core.check.brought_keys import brought_keys
from aligntune_core.check.choose import AUTO, choose
from aligntune_core.check.considered import Considered
from aligntune_core.check.formats import formats_for_job
from aligntune_core.check.named_rewards import named_rewards
from aligntune_core.check.on_disk import place_problems
from aligntune_core.check.rules import RULES
from aligntune_core.check.verdict import Verdict
from aligntune_core.errors import RewardError
from aligntune_core.jobs.read import read_job
from aligntune_core.machine.devices import device
from aligntune_core.problem import Problem, in_order
from aligntune_core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from aligntune_core.algorithms import Algorithm
    from aligntune_core.job import Job


def decide(
    values: Mapping[str, Any],
    *,
    places: Mapping[str, str] | None = None,
    probe: bool = False,
    backends: Registry | None = None,
) -> Verdict:
    """Whether a job can run here and on which backend, with every problem that can be known without an engine.

    Args:
        values: The job's keys.
        places: ``file:line`` of keys that came from a job file.
        probe: Whether backends may import their engines to find out more.
        backends: The registry to choose from; this process's own if None.
    """
    known = backends or registry()
    brought = brought_keys(values, known)
    job, problems = read_job(values, brought.names)
    problems = [brought.problems.get(problem.key, problem) for problem in problems]
    considered = _consider(job, known, probe=probe)
    for check in CHECKS:
        problems += check(considered)
    choice = choose(considered.without_idle(problems))
    problems += choice.problems
    chosen = choice.backend
    job = considered.job
    causes = {"backend-broken": chosen.cause} if chosen and chosen.cause else {}
    return Verdict(
        job.model_copy(update={"backend": chosen.name}) if chosen else job,
        chosen.name if chosen else "",
        choice.reason,
        choice.rejected,
        in_order(problems, places or {}),
        causes,
    )


def _consider(job: Job, known: Registry, *, probe: bool) -> Considered:
    wanted = known.spelt(job.backend) or job.backend.strip().lower()
    algorithm = _algorithm(job, wanted, known)
    if algorithm:
        job = job.model_copy(update={"algorithm": algorithm.name})
    here = device()
    return Considered(job, wanted, algorithm, here, tuple(required_features(job, here)), known, probe=probe)


def _algorithm(job: Job, wanted: str, known: Registry) -> Algorithm | None:
    if not job.algorithm:
        return None
    names = known.names()
    nearest = names if wanted == AUTO else [wanted] if wanted in names else []
    # all only where that is not enough, since it loads every plugin: another backend may bring it
    return find_algorithm(job.algorithm, known.algorithms(nearest)) or find_algorithm(
        job.algorithm, known.algorithms(names)
    )


def _unknown_algorithm(considered: Considered) -> Iterator[Problem]:
    name = considered.job.algorithm
    if name and considered.algorithm is None:
        known = considered.backends
        fix = did_you_mean(name, [each.name for each in known.algorithms(known.names())])
        yield Problem("unknown-algorithm", f"there is no algorithm '{name}'.", fix, "algorithm")


def _on_disk(considered: Considered) -> Iterator[Problem]:
    try:
        formats = formats_for_job(considered)
    except HookError:
        # the backend's own check tells it, and what the data means is not known without them
        return place_problems(considered.job, None)
    return place_problems(considered.job, considered.algorithm, formats)


def _rewards(considered: Considered) -> Iterable[Problem]:
    job = considered.job
    if not job.reward_functions:
        return ()
    from aligntune_core.rewards import problems

    try:
        named = named_rewards(job.model_copy(update={"backend": considered.wanted}), considered.backends)
    except RewardError as error:
        return [Problem("reward-function", error.message, error.fix, "reward_functions")]
    return problems(job.reward_functions, max_completion_length=job.max_completion_length, named=named)


CHECKS: tuple[Callable[[Considered], Iterable[Problem]], ...] = (_unknown_algorithm, *RULES, _on_disk, _rewards)
"""What is checked of every job before a backend is chosen, in the order in which problems of equal weight are told."""
