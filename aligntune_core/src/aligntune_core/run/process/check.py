"""Looking into a job in the environment that its backend lives in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aligntune_core.check.examination import Examination, Level
from aligntune_core.errors import AlignTuneError
from aligntune_core.problem import Problem
from aligntune_core.run.process.functions import Functions
from aligntune_core.run.process.launch import child_in, own_path
from aligntune_core.run.process.packing import Packed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from aligntune_core.environments.environment import Environment
    from aligntune_core.job import Job


def check_there(job: Job, environment: Environment, level: Level) -> tuple[Examination, list[Problem]]:
    """What is found when a job is looked into there; that it can't be is a problem too.

    Args:
        job: The job.
        environment: The environment.
        level: How deep to look.
    """
    try:
        child = child_in(environment)
    except AlignTuneError as error:
        return Examination(level), [_unasked(environment, error)]
    try:
        packed = Packed(job.settings(), child.folder)
        functions = Functions(packed.functions, child.conversation.call)

        def serve(do: str, given: Mapping[str, Any]) -> Any:
            return functions.score(**given) if do == "score" else None

        child.serve = serve
        child.greet()
        found, problems = child.call("check", "checked the job", job=packed.job, level=str(level), path=own_path())
    except AlignTuneError as error:
        return Examination(level), [_unasked(environment, error)]
    finally:
        child.discard()
    return replace(found, level=Level(found.level)) if found else Examination(level), list(problems)


def _unasked(environment: Environment, error: AlignTuneError) -> Problem:
    message = f"the job can't be looked at in the environment '{environment.name}': {error.message}"
    fix = f"{error.fix} Look at it with: aligntune env check {environment.name}".lstrip()
    return Problem("environment", message, fix, "backend")
