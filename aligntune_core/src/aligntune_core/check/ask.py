"""Whether a job would run, as deep as it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.backends.registry import Registry, registry
from aligntune_core.errors import AlignTuneError
from aligntune_core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aligntune_core.check.examination import Examination, Level
    from aligntune_core.check.verdict import Verdict
    from aligntune_core.environments.environment import Environment
    from aligntune_core.job import Job
    from aligntune_core.problem import Problem

    There = Callable[[Job, Environment, Level], tuple[Examination, list[Problem]]]


def check_job(
    values: Mapping[str, Any],
    *,
    level: str = "data",
    places: Mapping[str, str] | None = None,
    backends: Registry | None = None,
    there: There | None = None,
) -> Verdict:
    """Whether a job would run, looked at in this process as far as its backend lives here.

    Args:
        values: The job's keys.
        level: How deep to look.
        places: ``file:line`` of keys that came from a job file.
        backends: The registry to choose from; this process's own if None.
        there: Looks into a job in the environment that its backend lives in, where that is another one.

    Raises:
        AlignTuneError: If there is no such level.
    """
    from aligntune_core.check.decide import decide
    from aligntune_core.check.examination import Level
    from aligntune_core.check.look import examine

    if level not in list(Level):
        raise AlignTuneError(f"there is no level '{level}' of a check.", fix=did_you_mean(str(level), Level))
    depth = Level(level)
    known = backends or registry()
    verdict = decide(values, places=places, probe=depth is Level.PROBE, backends=known)
    environment = known.get(verdict.backend).environment if verdict.backend else None
    stopped = any(each.key in {"backend", "algorithm"} for each in verdict.errors)
    if there and environment and verdict.job and depth is not Level.FAST and not stopped:
        examination, problems = there(verdict.job, environment, depth)
        return verdict.examined(examination, problems, places or {})
    return examine(verdict, level=depth, backends=known, places=places)
