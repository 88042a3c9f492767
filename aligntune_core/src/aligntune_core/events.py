"""What a run tells while it goes: plain values that survive being written as JSON.

The core sends ``Decided``; a backend sends everything else: ``DataReady`` for each dataset
(``aligntune_core.data.prepare_job`` does), then for each training ``Started``, a ``Stepped`` after every optimiser
step, ``Evaluated`` and ``CheckpointSaved`` as they happen and ``Finished``; and ``Saved`` when a model is written.
Metrics are plain numbers; the training loss is called ``loss``, that of evaluation data ``eval_loss``.

Steps count from 1, and go on from ``first_step`` in a training that resumes; a step may be told several times, e.g.
once more with what was logged at it, but none goes back. ``total_steps`` is 0 where it is not known. ``Started``,
``Stepped``, ``CheckpointSaved`` and ``Finished`` come while ``train()`` runs: one that comes later is left out, and
that is said. Events may be sent from any thread; they reach the listener one at a time. Each process of a run that has
several sends events to a listener of its own. An event that breaks these rules raises a ``BackendError``, and a loss
that is not finite a ``RunError``: where it was sent, and again when the call returns in which it was sent. So does
whatever a user's own listener raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aligntune_core.problem import Problem

TRAINING_DATA, EVALUATION_DATA = "training data", "evaluation data"
"""What a dataset is for, as ``DataReady`` names it."""

NOTHING_LEARNED = "nothing-learned"
"""The code of a backend's notice that says why no weight changed: the core then adds none of its own."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a run."""

    def to_dict(self) -> dict[str, Any]:
        """The event as JSON-ready values, with its type's name under ``event``."""
        return {"event": type(self).__name__, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Decided(Event):
    """The core chose a backend for a job.

    Args:
        backend: The one chosen.
        reason: Why.
        rejected: Why each other one was not.
        warnings: What was said about the job without stopping it.
    """

    backend: str
    reason: str
    rejected: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataReady(Event):
    """A dataset was loaded and converted.

    Args:
        name: Which dataset, and for what: ``training data`` or ``evaluation data``.
        source: The dataset as the job names it.
        format: The format it was recognised as.
        rows: Rows that will be used.
        unused: How many rows can't be used, by reason.
        first: The first row after conversion.
    """

    name: str
    source: str
    format: str
    rows: int
    unused: Mapping[str, int] = field(default_factory=dict)
    first: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice(Event):
    """Something a person should know: a setting that was decided for them, or a doubt.

    Args:
        message: What, in one or two sentences.
        warning: Whether it is a doubt.
        code: The same for programs, as a problem's code; may be empty.
        key: The job key it concerns; may be empty.
    """

    message: str
    warning: bool = False
    code: str = ""
    key: str = ""

    @classmethod
    def of(cls, problem: Problem) -> Notice:
        """The doubt that a check would tell as a problem."""
        return cls(str(problem), warning=True, code=problem.code, key=problem.key)


@dataclass(frozen=True, slots=True)
class Started(Event):
    """Training begins.

    Args:
        total_steps: Optimiser steps the run will take in all; 0 where that is not known.
        first_step: Steps already taken, when it resumes.
        parameters: Weights in the model.
        trainable: Weights that are trained.
        device: Where the model is, e.g. ``cpu`` or ``cuda:0``.
    """

    total_steps: int
    first_step: int = 0
    parameters: int = 0
    trainable: int = 0
    device: str = ""


@dataclass(frozen=True, slots=True)
class Stepped(Event):
    """An optimiser step was taken; ``metrics`` holds what was logged at it, and is often empty."""

    step: int
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evaluated(Event):
    """Evaluation data was scored after ``step`` steps."""

    step: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class CheckpointSaved(Event):
    """A checkpoint was written after ``step`` steps."""

    step: int
    path: str


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """Training ended; ``seconds`` is the time the training loop took."""

    steps: int
    seconds: float
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Saved(Event):
    """A model was written to ``path``."""

    path: str


Listener = Callable[[Event], None]
"""What receives events: a function of one event."""


def ignore(event: Event) -> None:
    """A listener that does nothing."""
