"""The one place where it is decided whether a job can run, on which backend, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import find_algorithm, spelling
from aligntune_core.backends.features import required_features
from aligntune_core.backends.hooks import HookError
from aligntune_core.backends.meanings import meanings, meant
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
from aligntune_core.problem import Problem, Severity, in_order
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
    problems += _other_name(job, considered)
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
    found = _meanings(job.algorithm, wanted, known)
    # what a backend that is named means holds
    return found[0] if len(found) == 1 or (found and wanted != AUTO) else None


def _meanings(name: str, wanted: str, known: Registry) -> list[Algorithm]:
    if wanted == AUTO:
        return meanings(name, known)
    if wanted in known.names():
        return meanings(name, known, wanted)
    return meant(name, {each: known.brought(each) for each in known.unimported()})


def _unknown_algorithm(considered: Considered) -> Iterator[Problem]:
    name, wanted, known = considered.job.algorithm, considered.wanted, considered.backends
    if not name or considered.algorithm:
        return
    if _meanings(name, wanted, known):
        owners = [each for each in known.names() if meant(name, {each: known.brought(each)})]
        told = " and ".join(f"'{each}'" for each in owners)
        message = f"'{name}' means different things to the backends {told}."
        yield Problem("ambiguous-algorithm", message, "Name the one that is meant with backend.", "algorithm")
        return
    named = [wanted] if wanted in known.names() else []
    names = known.names() if wanted == AUTO else [*named, *known.unimported()]
    fix = did_you_mean(name, [each.name for each in known.algorithms(names)])
    yield Problem("unknown-algorithm", f"there is no algorithm '{name}'.", fix, "algorithm")


def _other_name(given: Job, considered: Considered) -> Iterator[Problem]:
    """That the job calls its algorithm by another name, where a backend gave it that name and not the core."""
    algorithm, name = considered.algorithm, given.algorithm
    if algorithm and name and not find_algorithm(name) and spelling(name) != algorithm.name:
        message = f"'{name}' is taken as '{algorithm.name}', which its backend also calls so."
        yield Problem("algorithm-alias", message, "", "algorithm", Severity.WARNING)


def _on_disk(considered: Considered) -> Iterable[Problem]:
    found = list(place_problems(considered.job, considered.algorithm)) if considered.wanted == AUTO else None
    # plugins are imported for their formats only where the core's are not enough
    if found is not None and all(problem.code != "data" for problem in found):
        return found
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
