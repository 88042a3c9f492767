"""Whether a job would run, as deep as it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.backends.registry import Registry, registry
from aligntune_core.errors import AlignTuneError
from aligntune_core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aligntune_core.check.verdict import Verdict


def check(*, level: str = "data", **job: Any) -> Verdict:
    """Whether a job would run here, on which backend, and every problem with it; nothing is trained.

    Args:
        level: How deep to look: ``fast`` reads the job, the tables and the names on the disk, in a fraction of a
            second; ``data`` also reads the data, as the engine will see it, which needs the tokenizer; ``probe`` also
            loads the model and takes two steps on the first rows, in this process.
        **job: The job's keys; :class:`aligntune.Job` lists them.

    Raises:
        AlignTuneError: If there is no such level.
    """
    return check_job(job, level=level)


def check_job(
    values: Mapping[str, Any],
    *,
    level: str = "data",
    places: Mapping[str, str] | None = None,
    backends: Registry | None = None,
) -> Verdict:
    """The same as :func:`check`, for keys that came from a job file.

    Args:
        values: The job's keys.
        level: How deep to look.
        places: ``file:line`` of keys that came from a job file.
        backends: The registry to choose from; this process's own if None.
    """
    from aligntune_core.check.decide import decide
    from aligntune_core.check.examination import Level
    from aligntune_core.check.look import examine

    if level not in list(Level):
        raise AlignTuneError(f"there is no level '{level}' of a check.", fix=did_you_mean(str(level), Level))
    depth = Level(level)
    known = backends or registry()
    verdict = decide(values, places=places, probe=depth is Level.PROBE, backends=known)
    return examine(verdict, level=depth, backends=known, places=places)
