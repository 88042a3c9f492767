"""Which job a checkpoint is of: written next to it, and compared with the job that goes on from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import CheckpointError
from aligntune_core.kit.checkpoints.whole import WEIGHTS, is_written
from aligntune_core.models.source import model_source

if TYPE_CHECKING:
    from pathlib import Path

    from aligntune_core.job import Job

JOB_FILE = "aligntune_job.json"
_FIX = "Leave resume out, or go on with the job that wrote the checkpoint."


def write_job(job: Job, checkpoint: Path) -> None:
    """Write into a checkpoint which job it is of.

    Args:
        job: The job.
        checkpoint: The checkpoint's folder.
    """
    (checkpoint / JOB_FILE).write_text(json.dumps(job.to_dict(), indent=2) + "\n", encoding="utf-8")


def require_same_run(job: Job, checkpoint: Path) -> None:
    """Refuse a checkpoint of another algorithm, another model, or of adapters where the job trains none.

    A checkpoint that doesn't say which job it is of has only to hold the kind of weights that the job trains.

    Args:
        job: The job that is to go on.
        checkpoint: A whole checkpoint.

    Raises:
        CheckpointError: If it is of another kind of run.
    """
    adapters = bool(job.use_peft)
    written = _written_job(checkpoint)
    if written:
        theirs, own = written.get("algorithm"), job.algorithm
        if theirs != own:
            raise _other(checkpoint, f"of algorithm '{theirs}'", f"of '{own}'")
        theirs, own = written.get("model_name"), job.model_name
        if not _same_model(theirs, own):
            raise _other(
                checkpoint,
                f"of model '{theirs}'",
                f"of '{own}'",
                f"{_FIX} If it is the same model under another name, delete '{checkpoint / JOB_FILE}'.",
            )
        held = bool(written.get("use_peft"))
    else:
        kinds = {name.startswith("adapter_model") for name in WEIGHTS if is_written(checkpoint / name)}
        held = adapters if adapters in kinds else not adapters
    if held != adapters:
        said = {True: "of adapters (use_peft: true)", False: "of all weights (use_peft: false)"}
        raise _other(checkpoint, said[held], said[adapters])


def other_data(job: Job, checkpoint: Path) -> str:
    """What a person should be told if a checkpoint's run learned from another dataset; else nothing.

    Args:
        job: The job that goes on.
        checkpoint: The checkpoint's folder.
    """
    theirs = (_written_job(checkpoint) or {}).get("dataset_name")
    own = job.to_dict().get("dataset_name")
    if theirs is None or theirs == own:
        return ""
    return f"the run of {checkpoint.name} learned from the dataset '{theirs}', and this job goes on with '{own}'"


def _written_job(checkpoint: Path) -> dict[str, Any] | None:
    try:
        written = json.loads((checkpoint / JOB_FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return written if isinstance(written, dict) else None


def _same_model(theirs: object, own: str) -> bool:
    if theirs == own:
        return True
    if not isinstance(theirs, str):
        return False
    places = [model_source(name).path for name in (theirs, own)]
    try:
        return places[0] is not None and places[1] is not None and places[0].samefile(places[1])
    except (OSError, ValueError):
        return False


def _other(checkpoint: Path, theirs: str, own: str, fix: str = _FIX) -> CheckpointError:
    return CheckpointError(f"the checkpoint '{checkpoint}' is {theirs}, but the job is {own}.", fix=fix)
