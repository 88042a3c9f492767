"""Which of the checkpoints on disk a job goes on from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aligntune_core.errors import CheckpointError
from aligntune_core.kit.checkpoints.origin import require_same_run
from aligntune_core.kit.checkpoints.whole import faults
from aligntune_core.machine.disk import expanded

if TYPE_CHECKING:
    from pathlib import Path

    from aligntune_core.job import Job


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in an output folder, newest first."""
    found = [(int(path.name[11:]), path) for path in folder.glob("checkpoint-*") if path.name[11:].isdecimal()]
    return [path for _, path in sorted(found, reverse=True)]


def resume_from(job: Job) -> tuple[Path | None, list[str]]:
    """The checkpoint that a job goes on from, None if it starts afresh, and what a person should be told of it.

    Raises:
        CheckpointError: If there is no whole checkpoint to go on from, or it is of another kind of run.
    """
    if not job.resume:
        return None, []
    notes: list[str] = []
    if isinstance(job.resume, str):
        checkpoint = _named(expanded(job.resume))
    else:
        checkpoint, notes = _newest(expanded(job.output_dir))
    require_same_run(job, checkpoint)
    return checkpoint, notes


def step_of(checkpoint: Path) -> int:
    """The step that a whole checkpoint was written at."""
    return int(json.loads((checkpoint / "trainer_state.json").read_bytes())["global_step"])


def _newest(folder: Path) -> tuple[Path, list[str]]:
    passed: list[str] = []
    for checkpoint in checkpoints(folder):
        found = faults(checkpoint)
        if not found:
            return checkpoint, passed
        passed.append(f"{checkpoint.name} {'; it '.join(found)}")
    if passed:
        raise CheckpointError(f"no checkpoint in '{folder}' is whole: {'; '.join(passed)}.")
    raise CheckpointError(
        f"'resume' is true, but '{folder}' holds no checkpoint.",
        fix="Name the output_dir of the run to go on with, or leave resume out.",
    )


def _named(checkpoint: Path) -> Path:
    try:
        is_there = checkpoint.is_dir()
    except OSError:  # a name too long, or a folder that may not be entered
        is_there = False
    if not is_there:
        raise CheckpointError(f"there is no checkpoint '{checkpoint}' to resume from.", fix="Check the path.")
    found = faults(checkpoint)
    if found:
        inside = [path.name for path in checkpoints(checkpoint)]
        fix = f"Name a checkpoint in it, e.g. '{checkpoint / inside[0]}'." if inside else ""
        raise CheckpointError(f"the checkpoint '{checkpoint}' {'; it '.join(found)}.", fix=fix)
    return checkpoint
