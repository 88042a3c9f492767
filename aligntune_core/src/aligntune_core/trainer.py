"""What a backend returns: a trainer that every engine can be driven through."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a training run came to.

    Args:
        steps: Optimiser steps taken in all, those before a resume included.
        train_loss: The mean training loss over the run; None where the engine gives none.
        output_dir: The folder with the run's checkpoints.
        metrics: The engine's closing figures, numbers by name.
    """

    steps: int
    train_loss: float | None
    output_dir: str
    metrics: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON-ready values."""
        return asdict(self)


@runtime_checkable
class Trainer(Protocol):
    """A job that is ready to train, in one engine's hands.

    What a user gets drives the backend's trainer and checks what comes of it (``docs/backends.md``); its members are
    looked at when the trainer is made, and none of its properties is evaluated then.
    """

    @property
    def model(self) -> Any:
        """The model that is trained."""

    @property
    def tokenizer(self) -> Any:
        """Its tokenizer."""

    @property
    def native(self) -> Any:
        """The engine's own trainer, for people who need it."""

    def train(self) -> TrainResult:
        """Train to the end, from the checkpoint the job names if it resumes.

        Raises:
            RunError: If the run began and could not go on.
        """

    def evaluate(self) -> dict[str, float]:
        """Score the evaluation data, and send the figures as an ``Evaluated`` event.

        Returns:
            The figures by name, the loss as ``eval_loss``.

        Raises:
            DataError: If the job names no evaluation data.
        """

    def save(self, path: str | Path | None = None, *, merge: bool = False) -> Path:
        """Write the model and its tokenizer where transformers can load them.

        Args:
            path: The folder; the job's ``output_dir`` if None.
            merge: Fold a LoRA adapter into the weights, so that the folder holds a whole model.

        Returns:
            The folder.
        """
