"""What a job names on this machine's disk: the model, the data, the output folder."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aligntune_core.suggest import closest, did_you_mean
from aligntune_core.verdict import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.job import Job

BUILTIN_MODELS = ("builtin:tiny",)
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


def looks_local(name: str) -> bool:
    """Whether a model's name can only mean a path, because it exists or has a path's form."""
    return (
        name.startswith((".", "/", "~"))
        or "\\" in name
        or name.count("/") > 1
        or name.lower().endswith(".gguf")
        or Path(name).exists()
    )


def model_problem(name: str, key: str = "model_name") -> Problem | None:
    """What is wrong with a model's name as far as this machine's disk can tell.

    Args:
        name: A hub id, a path or ``builtin:NAME``.
        key: The job key that holds it.
    """
    if name.startswith("builtin:"):
        if name in BUILTIN_MODELS:
            return None
        return Problem("unknown-model", f"there is no model '{name}'.", did_you_mean(name, BUILTIN_MODELS), key)
    if not looks_local(name):
        if _HUB_ID.fullmatch(name):
            return None
        message = f"'{key}' is {name!r}, which is neither a path that exists nor a hub id like 'org/name'."
        return Problem("model-not-found", message, "", key)
    path = Path(name).expanduser()
    if not path.exists():
        near = _neighbour(path)
        return Problem("model-not-found", f"there is no model at '{name}'.", near or "Check the path.", key)
    if path.is_file():
        if path.suffix.lower() == ".gguf":
            with path.open("rb") as file:
                if file.read(4) == b"GGUF":
                    return None
            return Problem(
                "model-not-readable", f"'{name}' is not a GGUF file: it does not begin with 'GGUF'.", "", key
            )
        return Problem("model-not-readable", f"'{name}' is a file; a model is a folder or a .gguf file.", "", key)
    if not (path / "config.json").exists() and not (path / "adapter_config.json").exists():
        return Problem(
            "model-not-readable",
            f"the folder '{name}' holds no model: it has no config.json.",
            "Name the folder that transformers' save_pretrained wrote.",
            key,
        )
    return None


def dataset_problem(name: str, key: str = "dataset_name") -> Problem | None:
    """What is wrong with a dataset's name or the start of its files, as far as this machine's disk can tell."""
    from aligntune_core.data.builtin import builtin_rows
    from aligntune_core.data.files import inspect, is_local
    from aligntune_core.errors import DataError

    try:
        if name.startswith("builtin:"):
            builtin_rows(name, "train")
        elif is_local(name):
            inspect(name)
        elif not _HUB_ID.fullmatch(name.partition(":")[0]):
            message = f"'{key}' is {name!r}, which is neither a path that exists nor a hub id like 'org/name'."
            return Problem("data", message, "", key)
    except DataError as error:
        return Problem("data", error.message, error.fix, key)
    return None


def output_problem(job: Job) -> Problem | None:
    """Why nothing can be written to the job's output folder, or that something of an earlier run stands there."""
    folder = Path(job.output_dir).expanduser()
    parent = folder
    while not parent.exists() and parent != parent.parent:
        parent = parent.parent
    if not parent.is_dir():
        message = f"'output_dir' is '{job.output_dir}', but '{parent}' is a file."
        return Problem("output-not-writable", message, "Choose another folder.", "output_dir")
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        message = f"'output_dir' is '{job.output_dir}', and '{parent}' can't be written to: {error.strerror}."
        return Problem("output-not-writable", message, "Choose another folder.", "output_dir")
    if not job.resume and any(folder.glob("checkpoint-*")):
        return Problem(
            "output-in-use",
            f"'{job.output_dir}' holds checkpoints of an earlier run, which this run may overwrite.",
            "Add resume: true to go on from them, or choose another output_dir.",
            "output_dir",
            Severity.WARNING,
        )
    return None


def place_problems(job: Job) -> Iterator[Problem]:
    """Every problem of the job with what is on disk."""
    found = [output_problem(job)]
    if job.model_name:
        found.append(model_problem(job.model_name))
    if job.reward_model_name:
        found.append(model_problem(job.reward_model_name, "reward_model_name"))
    for key in ("dataset_name", "eval_dataset_name"):
        name = getattr(job, key)
        if isinstance(name, str):
            found.append(dataset_problem(name, key))
    yield from (problem for problem in found if problem)


def _neighbour(path: Path) -> str:
    if not path.parent.is_dir():
        return ""
    match = closest(path.name, [entry.name for entry in path.parent.iterdir()])
    return f"Did you mean '{path.parent / match}'?" if match else ""
