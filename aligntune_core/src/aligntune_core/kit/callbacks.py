"""The callbacks that a backend on transformers' Trainer needs to keep the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.kit.event_callback import EventCallback
from aligntune_core.kit.finite_guard import FiniteGuard
from aligntune_core.kit.resuming import JobInCheckpoints, NothingLeft

if TYPE_CHECKING:
    from aligntune_core.events import Listener
    from aligntune_core.job import Job


def as_callback(watcher: object) -> Any:
    """The same object as a callback of transformers, of a class that is transformers' ``TrainerCallback`` too.

    The kit's own classes have only the methods that they need, so that they can be read, and tried, without the engine.

    Args:
        watcher: What has some of a callback's methods.
    """
    from transformers import TrainerCallback

    kind = type(watcher)
    made: Any = object.__new__(type(kind.__name__, (kind, TrainerCallback), {"__doc__": kind.__doc__}))
    vars(made).update(vars(watcher))
    return made


def add_callbacks(native: Any, job: Job, emit: Listener) -> None:
    """Give a Trainer what sends its events, what stops a run that diverged, and what resuming needs.

    The order matters: a step is told before a guard may stop the run at it, so that the last one is known, and the
    guard looks before a checkpoint is signed. ``NothingLeftError`` leaves the engine's ``train()`` where the checkpoint
    is the run's end.

    Args:
        native: The trainer, an instance of transformers' ``Trainer``.
        job: The job.
        emit: Where events go.
    """
    from transformers.trainer_callback import PrinterCallback

    native.remove_callback(PrinterCallback)
    for watcher in (EventCallback(emit), FiniteGuard(native), JobInCheckpoints(job), NothingLeft()):
        native.add_callback(as_callback(watcher))
