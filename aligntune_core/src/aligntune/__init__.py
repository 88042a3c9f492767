"""Post-train language models through one contract, on the engine you name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aligntune.core.backend_factory import (
        BackendType,
        create_rl_trainer,
        create_sft_trainer,
        get_backend_status,
    )
    from aligntune_core.backends.queries import capabilities, find_backends, supports
    from aligntune_core.doctor.look import doctor
    from aligntune_core.errors import (
        AlignTuneError,
        BackendError,
        CheckpointError,
        DataError,
        JobError,
        ModelError,
        RewardError,
        RunError,
    )
    from aligntune_core.job import Job
    from aligntune_core.run.ask import check
    from aligntune_core.run.launch import create_trainer

__version__ = "1.0.0"

__all__ = [
    "AlignTuneError",
    "BackendError",
    "BackendType",
    "CheckpointError",
    "DataError",
    "Job",
    "JobError",
    "ModelError",
    "RewardError",
    "RunError",
    "capabilities",
    "check",
    "create_rl_trainer",
    "create_sft_trainer",
    "create_trainer",
    "doctor",
    "find_backends",
    "get_backend_status",
    "supports",
]

_HOMES = {
    "BackendType": "aligntune.core.backend_factory",
    "Job": "aligntune_core.job",
    "capabilities": "aligntune_core.backends.queries",
    "check": "aligntune_core.run.ask",
    "create_rl_trainer": "aligntune.core.backend_factory",
    "create_sft_trainer": "aligntune.core.backend_factory",
    "create_trainer": "aligntune_core.run.launch",
    "doctor": "aligntune_core.doctor.look",
    "find_backends": "aligntune_core.backends.queries",
    "get_backend_status": "aligntune.core.backend_factory",
    "supports": "aligntune_core.backends.queries",
}


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(_HOMES.get(name, "aligntune_core.errors")), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
