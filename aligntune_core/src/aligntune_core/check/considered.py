"""What every check of a job is given: the job and what follows from it, worked out once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aligntune_core.backends.features import feature_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aligntune_core.algorithms import Algorithm
    from aligntune_core.backends.registry import Registry
    from aligntune_core.capabilities import Feature
    from aligntune_core.job import Job
    from aligntune_core.problem import Problem


@dataclass(frozen=True, slots=True)
class Considered:
    """A job that is decided about.

    Args:
        job: The job, or a draft of one.
        wanted: The backend that it names, as that spells itself; ``auto`` if it leaves the choice.
        algorithm: Its algorithm, None where that is not known.
        device: Where it would run: ``cpu`` or ``cuda``.
        features: What it asks of its backend beyond the algorithm.
        backends: The registry to choose from.
        probe: Whether backends may import their engines to find out more.
        idle: The keys that are known to have no effect, which no backend is asked about.
    """

    job: Job
    wanted: str
    algorithm: Algorithm | None
    device: str
    features: tuple[Feature, ...]
    backends: Registry
    probe: bool = False
    idle: frozenset[str] = frozenset()

    def without_idle(self, problems: Iterable[Problem]) -> Considered:
        """The same without what was said to have no effect: no backend is asked of that too.

        Args:
            problems: What was found in the job so far.
        """
        idle = frozenset(problem.key for problem in problems if problem.code == "no-effect")
        left = tuple(feature for feature in self.features if feature_key(feature) not in idle)
        return replace(self, features=left, idle=idle)
