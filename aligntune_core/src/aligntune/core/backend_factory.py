"""Trainers by the names of their model, dataset, algorithm and backend."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import spelling
from aligntune_core.backends.registry import registry
from aligntune_core.errors import JobError
from aligntune_core.problem import Problem
from aligntune_core.run.launch import create_trainer

if TYPE_CHECKING:
    from aligntune_core.events import Listener
    from aligntune_core.trainer import Trainer

__all__ = ["BackendType", "create_rl_trainer", "create_sft_trainer", "get_backend_status"]


class BackendType(StrEnum):
    """The backends of this project by name; any backend's name as text works as well. Nothing is imported by it."""

    TRL = "trl"
    UNSLOTH = "unsloth"
    AUTO = "auto"


def create_sft_trainer(
    model_name: str,
    dataset_name: Any,
    *,
    backend: str | BackendType = BackendType.AUTO,
    on_event: Listener | None = None,
    **job: Any,
) -> Trainer:
    """Make a trainer for supervised fine-tuning.

    Args:
        model_name: The starting model: a hub id, a local folder, a ``.gguf`` file or ``builtin:tiny``.
        dataset_name: What to learn from: a hub id, a local file or folder, ``builtin:NAME``, or a ``datasets.Dataset``.
        backend: The engine.
        on_event: What receives the run's events; progress is shown on standard error if None.
        **job: Further keys of :class:`aligntune.Job`.

    Raises:
        JobError: If the job can't run, with every problem that was found.
        DataError: If the dataset can't be used.
        ModelError: If the model can't be loaded.
    """
    if job.get("algorithm", "sft") != "sft":
        raise _elsewhere("create_sft_trainer", str(job["algorithm"]), "create_rl_trainer")
    return create_trainer(
        on_event=on_event,
        **{**job, "algorithm": "sft", "model_name": model_name, "dataset_name": dataset_name, "backend": backend},
    )


def create_rl_trainer(
    model_name: str,
    dataset_name: Any,
    *,
    algorithm: str,
    backend: str | BackendType = BackendType.AUTO,
    on_event: Listener | None = None,
    **job: Any,
) -> Trainer:
    """Make a trainer for learning from preferences or rewards: dpo, ppo, grpo and the other algorithms.

    Args:
        model_name: The starting model: a hub id, a local folder, a ``.gguf`` file or ``builtin:tiny``.
        dataset_name: What to learn from: a hub id, a local file or folder, ``builtin:NAME``, or a ``datasets.Dataset``.
        algorithm: What to train with.
        backend: The engine.
        on_event: What receives the run's events; progress is shown on standard error if None.
        **job: Further keys of :class:`aligntune.Job`.

    Raises:
        JobError: If the job can't run, with every problem that was found.
        DataError: If the dataset can't be used.
        ModelError: If the model can't be loaded.
    """
    if spelling(str(algorithm)) == "sft":
        raise _elsewhere("create_rl_trainer", algorithm, "create_sft_trainer")
    return create_trainer(
        on_event=on_event,
        **{
            **job,
            "algorithm": algorithm,
            "model_name": model_name,
            "dataset_name": dataset_name,
            "backend": backend,
        },
    )


def _elsewhere(factory: str, algorithm: str, other: str) -> JobError:
    message = f"{factory} does not train '{algorithm}'."
    return JobError([Problem("wrong-factory", message, f"Use {other}, or create_trainer for any.", "algorithm")])


def get_backend_status() -> dict[str, dict[str, Any]]:
    """How every backend stands here, by name.

    Each has its ``status``, ``version``, ``reason`` and the command that would ``install`` it; ``notes``, what is odd
    about its plugin; and its ``standing``: whether it is installed, its plugin can be imported, its engine is there in
    a version that it can use, and a device that it trains on is here, each as ``yes`` (None where that is not known,
    e.g. of a plugin that was not imported since its distribution recorded what it says) with a ``reason``.
    """
    return {name: backend.to_dict() for name, backend in registry().all(imported=False).items()}
