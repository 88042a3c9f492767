"""A backend's trainer, held to what the contract promises of every trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.events import NOTHING_LEARNED, Finished, Notice, Saved, Started
from aligntune_core.run.calling import calling
from aligntune_core.run.returned import checked_figures, checked_folder, checked_result, require_a_step
from aligntune_core.run.weights import Weights

if TYPE_CHECKING:
    from pathlib import Path

    from aligntune_core.run.emitting import Emitting
    from aligntune_core.trainer import Trainer, TrainResult

_OWN = ("_trainer", "_emitting", "_weights")


class HeldTrainer:
    """Trains, evaluates and saves as the backend's trainer does, and sees to it that what comes of it is true.

    Everything else is the trainer's own: other members are looked up, set and deleted there, it is equal to it, and
    ``isinstance`` sees its class.

    Args:
        trainer: The backend's trainer.
        emitting: What it sends events to.
    """

    def __init__(self, trainer: Trainer, emitting: Emitting) -> None:
        object.__setattr__(self, "_trainer", trainer)
        object.__setattr__(self, "_emitting", emitting)
        object.__setattr__(self, "_weights", Weights(trainer))
        emitting.before = {Started: self._weights.begin, Finished: lambda: self._judge(emitting.order.step)}

    @property
    def model(self) -> Any:
        """The model that is trained."""
        return self._trainer.model

    @property
    def tokenizer(self) -> Any:
        """Its tokenizer."""
        return self._trainer.tokenizer

    @property
    def native(self) -> Any:
        """The engine's own trainer."""
        return self._trainer.native

    def train(self) -> TrainResult:
        """Train to the end.

        Raises:
            RunError: If the run began and could not go on, took no step, or left a loss or weights that are not finite.
            BackendError: If the backend breaks the contract.
        """
        emitting = self._emitting
        emitting.begin()
        try:
            with calling(emitting, "trained"):
                returned = self._trainer.train()
            order = emitting.order
            result = checked_result(emitting.backend, returned, order)
            if not order.finished:
                self._judge(result.steps)
            missing = [
                name for name, is_told in (("Started", order.started), ("Finished", order.finished)) if not is_told
            ]
            if missing:
                what = f"backend '{emitting.backend}' sent no {' and no '.join(missing)}, so that little was told."
                emitting.say(Notice(what, warning=True, code="missing-event"))
            return result
        finally:
            emitting.end()

    def _judge(self, step: int) -> None:
        """Refuse a training that did nothing or diverged, before it is told that it finished."""
        emitting, order = self._emitting, self._emitting.order
        require_a_step(step, order)
        self._weights.require_finite(step)
        steps = step - order.first
        if steps and NOTHING_LEARNED not in emitting.notices and self._weights.are_unchanged:
            what = (
                f"no trained weight changed in {steps} steps: each change was too small for the weights' precision, "
                "or was left out. Raise learning_rate, or set precision to fp32."
            )
            emitting.say(Notice(what, warning=True, code="weights-unchanged"))

    def evaluate(self) -> dict[str, float]:
        """Score the evaluation data.

        Raises:
            DataError: If the job names no evaluation data.
            BackendError: If the backend breaks the contract.
        """
        with calling(self._emitting, "evaluated"):
            returned = self._trainer.evaluate()
        return checked_figures(self._emitting.backend, returned)

    def save(self, path: str | Path | None = None, *, merge: bool = False) -> Path:
        """Write the model and its tokenizer where transformers can load them.

        Args:
            path: The folder; the job's ``output_dir`` if None.
            merge: Fold a LoRA adapter into the weights.

        Returns:
            The folder.

        Raises:
            RunError: If the trained weights are not finite, or nothing was written.
            BackendError: If the backend breaks the contract.
        """
        emitting = self._emitting
        self._weights.require_finite(emitting.order.step)
        emitting.folder = ""
        with calling(emitting, "saved the model"):
            returned = self._trainer.save(path, merge=merge)
        folder = checked_folder(emitting.backend, returned)
        if not emitting.folder:
            emitting.say(Saved(str(folder)))
        return folder

    @property  # type: ignore[misc]  # typeshed has it settable, which no one does here
    def __class__(self) -> type:
        return type(self._trainer)

    def __getattr__(self, name: str) -> Any:
        if name in _OWN:  # while it is being copied, it has neither
            raise AttributeError(name)
        return getattr(self._trainer, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._trainer, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._trainer, name)

    def __dir__(self) -> list[str]:
        return dir(self._trainer)

    def __eq__(self, other: object) -> bool:
        # type() and not isinstance, which sees the trainer's class
        theirs = other._trainer if type(other) is HeldTrainer else other
        return bool(self._trainer == theirs)

    def __hash__(self) -> int:
        return hash(self._trainer)

    def __repr__(self) -> str:
        return repr(self._trainer)
