"""What authors of backends import: the hook markers and the values that hooks take and return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import Algorithm, DatasetKind, Reward, Task
from aligntune_core.capabilities import CONTRACT_VERSION, BackendInfo, Capability, Feature, ImportOrder, Support
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
from aligntune_core.events import (
    CheckpointSaved,
    DataReady,
    Evaluated,
    Event,
    Finished,
    Listener,
    Notice,
    Saved,
    Started,
    Stepped,
)
from aligntune_core.hookspecs import hookimpl
from aligntune_core.trainer import Trainer, TrainResult
from aligntune_core.verdict import Problem, Severity, Verdict

if TYPE_CHECKING:
    from aligntune_core.job import Job

__all__ = [
    "CONTRACT_VERSION",
    "Algorithm",
    "AlignTuneError",
    "BackendError",
    "BackendInfo",
    "Capability",
    "CheckpointError",
    "CheckpointSaved",
    "DataError",
    "DataReady",
    "DatasetKind",
    "Evaluated",
    "Event",
    "Feature",
    "Finished",
    "ImportOrder",
    "Job",
    "JobError",
    "Listener",
    "ModelError",
    "Notice",
    "Problem",
    "Reward",
    "RewardError",
    "RunError",
    "Saved",
    "Severity",
    "Started",
    "Stepped",
    "Support",
    "Task",
    "TrainResult",
    "Trainer",
    "Verdict",
    "hookimpl",
]


def __getattr__(name: str) -> Any:
    # pydantic is not needed to list what is there, and costs as much as the rest of the core
    if name == "Job":
        from aligntune_core.job import Job

        return Job
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
