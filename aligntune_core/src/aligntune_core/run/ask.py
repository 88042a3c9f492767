"""Whether a job would run, asked where its backend lives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.check.ask import check_job as look

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aligntune_core.check.examination import Examination, Level
    from aligntune_core.check.verdict import Verdict
    from aligntune_core.environments.environment import Environment
    from aligntune_core.job import Job
    from aligntune_core.problem import Problem


def check(*, level: str = "data", **job: Any) -> Verdict:
    """Whether a job would run here, on which backend, and every problem with it; nothing is trained.

    Args:
        level: How deep to look: ``fast`` reads the job, the tables and the names on the disk, in a fraction of a
            second; ``data`` also reads the data, as the engine will see it, which needs the tokenizer; ``probe`` also
            loads the model and takes two steps on the first rows. A backend that lives in another environment is
            asked there, but for ``fast``, which answers from what was recorded of it.
        **job: The job's keys; :class:`aligntune.Job` lists them.

    Raises:
        AlignTuneError: If there is no such level.
    """
    return check_job(job, level=level)


def check_job(values: Mapping[str, Any], *, level: str = "data", places: Mapping[str, str] | None = None) -> Verdict:
    """The same as :func:`check`, for keys that came from a job file.

    Args:
        values: The job's keys.
        level: How deep to look.
        places: ``file:line`` of keys that came from a job file.
    """
    return look(values, level=level, places=places, there=_there)


def _there(job: Job, environment: Environment, level: Level) -> tuple[Examination, list[Problem]]:
    from aligntune_core.run.process.check import check_there

    return check_there(job, environment, level)
