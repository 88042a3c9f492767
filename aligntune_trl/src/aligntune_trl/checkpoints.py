"""Checkpoints on disk: which of them are whole, and which one a job goes on from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aligntune_core import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core import Job

_STATE = ("trainer_state.json", "optimizer.pt", "scheduler.pt")
_WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "adapter_model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "adapter_model.bin",
)


def missing_files(checkpoint: Path) -> list[str]:
    """What a checkpoint lacks of what an exact resume needs; empty if it is whole."""
    missing = [name for name in _STATE if not _is_written(checkpoint / name)]
    if not any(_is_written(checkpoint / name) for name in _WEIGHTS):
        missing.append("weights")
    if not any(checkpoint.glob("rng_state*.pth")):
        missing.append("rng_state.pth")
    return missing


def _is_written(file: Path) -> bool:
    # a full disk leaves empty files behind
    return file.is_file() and file.stat().st_size > 0


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in an output folder, newest first."""
    found = [(int(path.name[11:]), path) for path in folder.glob("checkpoint-*") if path.name[11:].isdecimal()]
    return [path for _, path in sorted(found, reverse=True)]


def resume_from(job: Job) -> tuple[Path | None, list[str]]:
    """The checkpoint that a job goes on from, None if it starts afresh, and what a person should be told of it.

    Raises:
        CheckpointError: If there is no whole checkpoint to go on from.
    """
    if not job.resume:
        return None, []
    if isinstance(job.resume, str):
        return _named(_expanded(job.resume)), []
    folder = _expanded(job.output_dir)
    passed = list(_broken(folder))
    for checkpoint in checkpoints(folder):
        if not missing_files(checkpoint):
            newer = [text for path, text in passed if _step(path) > _step(checkpoint)]
            return checkpoint, newer
    if passed:
        raise CheckpointError(f"no checkpoint in '{folder}' is whole: {'; '.join(text for _, text in passed)}.")
    raise CheckpointError(
        f"'resume' is true, but '{folder}' holds no checkpoint.",
        fix="Name the output_dir of the run to go on with, or leave resume out.",
    )


def _expanded(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError:  # there is no such user
        return Path(name)


def _named(checkpoint: Path) -> Path:
    try:
        is_there = checkpoint.is_dir()
    except OSError:  # a name too long, or a folder that may not be entered
        is_there = False
    if not is_there:
        raise CheckpointError(f"there is no checkpoint '{checkpoint}' to resume from.", fix="Check the path.")
    missing = missing_files(checkpoint)
    if missing:
        inside = [path.name for path in checkpoints(checkpoint)]
        fix = f"Name a checkpoint in it, e.g. '{checkpoint / inside[0]}'." if inside else ""
        raise CheckpointError(f"the checkpoint '{checkpoint}' lacks {', '.join(missing)}.", fix=fix)
    return checkpoint


def _broken(folder: Path) -> Iterator[tuple[Path, str]]:
    for checkpoint in checkpoints(folder):
        missing = missing_files(checkpoint)
        if missing:
            yield checkpoint, f"{checkpoint.name} lacks {', '.join(missing)}"


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name[11:])
