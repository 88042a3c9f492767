"""What a job names on this machine's disk: the model, the data, the output folder."""

from __future__ import annotations

import re
import tempfile
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core.machine.disk import exists, expanded, holds
from aligntune_core.machine.regular_file import special_kind
from aligntune_core.models.source import ModelKind, model_source, no_such_builtin
from aligntune_core.problem import Problem, Severity
from aligntune_core.wording import closest, described

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aligntune_core.algorithms import Algorithm
    from aligntune_core.data.files.limits import Limits
    from aligntune_core.data.formats.table import Format
    from aligntune_core.job import Job

_LONGEST_NAME, _LONGEST_PATH, _MOST_NEIGHBOURS = 255, 4000, 10_000
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


def model_problem(name: str, key: str = "model_name") -> Problem | None:
    """What is wrong with a model's name as far as this machine's disk can tell.

    Args:
        name: A hub id, a path or ``builtin:NAME``.
        key: The job key that holds it.
    """
    source = model_source(name)
    if source.kind is ModelKind.BUILTIN:
        return None if source.path else Problem("unknown-model", *no_such_builtin(name), key)
    if source.path is None:
        if _HUB_ID.fullmatch(name):
            return None
        message = f"'{key}' is {name!r}, which is neither a path that exists nor a hub id like 'org/name'."
        return Problem("model-not-found", message, "", key)
    path = source.path
    if not exists(path):
        near = _neighbour(path)
        return Problem("model-not-found", f"there is no model at '{name}'.", near or "Check the path.", key)
    if path.is_file():
        return _gguf_problem(path, name, key)
    if not path.is_dir():
        kind = special_kind(path) or "neither a folder nor a file"
        return Problem("model-not-readable", f"'{name}' is {kind}; a model is a folder or a .gguf file.", "", key)
    for file in ("config.json", "adapter_config.json"):
        special = special_kind(path / file) if exists(path / file) else None
        if special:
            return Problem("model-not-readable", f"'{path / file}' is {special}, not a file.", "", key)
    if source.kind is not ModelKind.ADAPTER and not holds(path, "config.json"):
        return Problem(
            "model-not-readable",
            f"the folder '{name}' holds no model: it has no config.json.",
            "Name the folder that transformers' save_pretrained wrote.",
            key,
        )
    return None


def _gguf_problem(file: Path, name: str, key: str) -> Problem | None:
    if file.suffix.lower() != ".gguf":
        return Problem("model-not-readable", f"'{name}' is a file; a model is a folder or a .gguf file.", "", key)
    try:
        with file.open("rb") as content:
            if content.read(4) == b"GGUF":
                return None
    except OSError as error:
        return Problem("model-not-readable", f"'{name}' can't be read: {error.strerror}.", "", key)
    return Problem("model-not-readable", f"'{name}' is not a GGUF file: it does not begin with 'GGUF'.", "", key)


def dataset_problem(
    job: Job, algorithm: Algorithm | None, key: str = "dataset_name", formats: Sequence[Format] = ()
) -> Problem | None:
    """What is wrong with a dataset as far as its name, the start of its files and its columns tell.

    Args:
        job: The job.
        algorithm: What is to learn from it, None where that is not known.
        key: The job key that holds the dataset.
        formats: The formats that the job's backend brings.
    """
    from aligntune_core.data.files.limits import limits_of
    from aligntune_core.data.files.paths import eval_split
    from aligntune_core.data.formats.recognise import recognise
    from aligntune_core.errors import DataError

    source = getattr(job, key)
    try:
        if key == "eval_dataset_name" and job.eval_dataset_split is None:
            eval_split(source, job.dataset_name)
        columns, first = _glance(source, limits_of(job.data_limits))
        if columns and first and algorithm:
            mapping = job.column_mapping
            name = f"'{source}'" if isinstance(source, str) else "the dataset"
            recognise(columns, first, algorithm.dataset, mapping, algorithm=algorithm.name, name=name, own=formats)
    except DataError as error:
        return Problem("data", error.message, error.fix, key)
    except Exception as error:
        # whatever a file system or a user's own object comes up with
        reason = getattr(error, "strerror", None) or described(error, 200)
        return Problem("data", f"'{key}' can't be looked into: {reason.rstrip('.')}.", "", key)
    return _file_meant(source, key) if isinstance(source, str) else None


def _file_meant(source: str, key: str) -> Problem | None:
    """A doubt about a name that only a hub can have, where a file of nearly that name is here."""
    from aligntune_core.data.files.paths import is_local

    path = Path(source)
    if source.startswith("builtin:") or not path.suffix or is_local(source):
        return None
    near = _neighbour(path)
    message = f"'{key}' is '{source}', which is no file here and so means a dataset of the hub."
    return Problem("data-perhaps-a-file", message, near, key, Severity.WARNING) if near else None


def _glance(source: Any, limits: Limits) -> tuple[Sequence[str], Mapping[str, Any]]:
    """A dataset's columns and first row, both empty where only loading it would tell."""
    from aligntune_core.data.builtin import builtin_rows
    from aligntune_core.data.files.glance import inspect
    from aligntune_core.data.files.paths import is_local
    from aligntune_core.errors import DataError

    if isinstance(source, list):
        first = source[0] if source else {}
        return (list(first), first) if isinstance(first, dict) else ((), {})
    if not isinstance(source, str):
        columns = getattr(source, "column_names", None)
        return (columns, source[0]) if isinstance(columns, list) and len(source) else ((), {})
    if source.startswith("builtin:"):
        first = builtin_rows(source, "train")[0]
        return list(first), first
    if is_local(source):
        found = inspect(source, limits=limits)
        return found.columns, found.first
    if not _HUB_ID.fullmatch(source.partition(":")[0]):
        raise DataError(f"'{source}' is neither a path that exists nor a hub id like 'org/name'.")
    return (), {}


def output_problem(job: Job) -> Problem | None:
    """Why nothing can be written to the job's output folder, or that something of an earlier run stands there."""
    folder = expanded(job.output_dir)
    length = len(str(folder).encode())
    if length > _LONGEST_PATH:
        message = f"'output_dir' is a path of {length} bytes, and {_LONGEST_PATH} are possible."
        return Problem("output-not-writable", message, "Choose another folder.", "output_dir")
    parent = folder
    while not exists(parent) and parent != parent.parent:
        parent = parent.parent
    if str(folder).startswith("~"):
        message = f"'output_dir' is '{job.output_dir}', and there is no user of that name on this machine."
        return Problem(
            "output-not-writable", message, "Choose another folder, or write ./~ for one of that name.", "output_dir"
        )
    too_long = [part for part in folder.parts if len(part.encode()) > _LONGEST_NAME]
    if too_long:
        message = f"'output_dir' holds a name of {len(too_long[0].encode())} bytes, and {_LONGEST_NAME} are possible."
        return Problem("output-not-writable", message, "Choose another folder.", "output_dir")
    if not parent.is_dir():
        message = f"'output_dir' is '{job.output_dir}', but '{parent}' is a file."
        return Problem("output-not-writable", message, "Choose another folder.", "output_dir")
    try:
        with tempfile.TemporaryFile(dir=parent):
            used = any(folder.glob("checkpoint-*"))
    except OSError as error:
        message = f"'output_dir' is '{job.output_dir}', and '{parent}' can't be written to: {error.strerror}."
        return Problem("output-not-writable", message, "Choose another folder.", "output_dir")
    if used and not job.resume:
        return Problem(
            "output-in-use",
            f"'{job.output_dir}' holds checkpoints of an earlier run, which this run may overwrite.",
            "Add resume: true to go on from them, or choose another output_dir.",
            "output_dir",
            Severity.WARNING,
        )
    return None


def place_problems(job: Job, algorithm: Algorithm | None, formats: Sequence[Format] = ()) -> Iterator[Problem]:
    """Every problem of the job with what is on disk.

    Args:
        job: The job.
        algorithm: What is to be trained, None where that is not known.
        formats: The formats that the job's backend brings.
    """
    found = [output_problem(job)]
    if job.model_name:
        found.append(model_problem(job.model_name))
    if job.reward_model_name:
        found.append(model_problem(job.reward_model_name, "reward_model_name"))
    sources = [key for key in ("dataset_name", "eval_dataset_name") if getattr(job, key) is not None]
    found += [dataset_problem(job, algorithm, key, formats) for key in sources]
    yield from (problem for problem in found if problem)


def _neighbour(path: Path) -> str:
    try:
        beside = [entry.name for entry in islice(path.parent.iterdir(), _MOST_NEIGHBOURS)]
    except OSError:
        return ""
    match = closest(path.name, beside)
    return f"Did you mean '{path.parent / match}'?" if match else ""
