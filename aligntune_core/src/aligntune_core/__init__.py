"""What authors of backends import: the hook markers and the values that hooks take and return."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aligntune_core.algorithms import Algorithm, DatasetKind, Reward, Task
    from aligntune_core.capabilities import (
        CONTRACT_VERSION,
        BackendInfo,
        Capability,
        Feature,
        ImportOrder,
        NamedReward,
        Support,
    )
    from aligntune_core.check.verdict import Verdict
    from aligntune_core.encoding import Encoded, Encoding
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
    from aligntune_core.job import Job
    from aligntune_core.plan import Plan
    from aligntune_core.problem import Problem, Severity
    from aligntune_core.trainer import Trainer, TrainResult

__version__ = "1.0.0"

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
    "Encoded",
    "Encoding",
    "Evaluated",
    "Event",
    "Feature",
    "Finished",
    "ImportOrder",
    "Job",
    "JobError",
    "Listener",
    "ModelError",
    "NamedReward",
    "Notice",
    "Plan",
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

_HOMES = {
    "Algorithm": "algorithms",
    "AlignTuneError": "errors",
    "BackendError": "errors",
    "BackendInfo": "capabilities",
    "CONTRACT_VERSION": "capabilities",
    "Capability": "capabilities",
    "CheckpointError": "errors",
    "CheckpointSaved": "events",
    "DataError": "errors",
    "DataReady": "events",
    "DatasetKind": "algorithms",
    "Encoded": "encoding",
    "Encoding": "encoding",
    "Evaluated": "events",
    "Event": "events",
    "Feature": "capabilities",
    "Finished": "events",
    "ImportOrder": "capabilities",
    "Job": "job",
    "JobError": "errors",
    "Listener": "events",
    "ModelError": "errors",
    "NamedReward": "capabilities",
    "Notice": "events",
    "Plan": "plan",
    "Problem": "problem",
    "Reward": "algorithms",
    "RewardError": "errors",
    "RunError": "errors",
    "Saved": "events",
    "Severity": "problem",
    "Started": "events",
    "Stepped": "events",
    "Support": "capabilities",
    "Task": "algorithms",
    "TrainResult": "trainer",
    "Trainer": "trainer",
    "Verdict": "check.verdict",
    "hookimpl": "hookspecs",
}


def __getattr__(name: str) -> Any:
    # each from its own module when it is asked for: a query needs few of them, and the rest cost more than the query
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
