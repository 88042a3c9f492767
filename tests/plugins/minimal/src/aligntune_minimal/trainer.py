"""The engine, driven through AlignTune's contract."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core import DataError, Evaluated, Finished, Saved, Started, Stepped, TrainResult
from aligntune_core.kit.figures import require_finite
from aligntune_core.kit.quiet import quiet_engine
from aligntune_core.kit.weights import sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aligntune_core import Job, Listener
    from aligntune_minimal.encoding import Example
    from aligntune_minimal.engine import Loop


class MinimalTrainer:
    """A job in the engine's hands.

    Args:
        job: The job.
        loop: The engine, ready to train.
        tokenizer: The model's tokenizer.
        evaluation: What to evaluate on; empty if nothing.
        emit: Where events go.
    """

    def __init__(self, job: Job, loop: Loop, tokenizer: Any, evaluation: Sequence[Example], emit: Listener) -> None:
        self._job = job
        self._loop = loop
        self._tokenizer = tokenizer
        self._evaluation = evaluation
        self._emit = emit

    @property
    def model(self) -> Any:
        """The model that is trained."""
        return self._loop.model

    @property
    def tokenizer(self) -> Any:
        """Its tokenizer."""
        return self._tokenizer

    @property
    def native(self) -> Loop:
        """The engine's training loop."""
        return self._loop

    def train(self) -> TrainResult:
        """Train to the end.

        Raises:
            RunError: If the loss is not a finite number.
        """
        self._emit(Started(self._loop.total_steps, 0, *sizes(self.model), str(self.model.device)))
        begun = time.monotonic()
        loss = self._loop.run(self._stepped)
        metrics = {"train_loss": loss}
        self._emit(Finished(self._loop.step, time.monotonic() - begun, metrics))
        return TrainResult(self._loop.step, loss, self._job.output_dir, metrics)

    def evaluate(self) -> dict[str, float]:
        """Score the evaluation data.

        Raises:
            DataError: If the job names no evaluation data.
        """
        if not self._evaluation:
            raise DataError("the job names no evaluation data.", fix="Add eval_dataset_name.")
        metrics = {f"eval_{name}": value for name, value in self._loop.score(self._evaluation).items()}
        self._emit(Evaluated(self._loop.step, metrics))
        return metrics

    def save(self, path: str | Path | None = None, *, merge: bool = False) -> Path:
        """Write the model and its tokenizer where transformers can load them.

        Args:
            path: The folder; the job's ``output_dir`` if None.
            merge: Changes nothing: there are no adapters to merge.

        Returns:
            The folder.
        """
        folder = Path(path or self._job.output_dir).expanduser()
        with quiet_engine():
            self.model.save_pretrained(folder)
            self._tokenizer.save_pretrained(folder)
        self._emit(Saved(str(folder)))
        return folder

    def _stepped(self, figures: dict[str, float]) -> None:
        step, settings = self._loop.step, self._loop.settings
        require_finite("loss", figures["loss"], step)
        is_logged = step % settings.logging_steps == 0 or step == self._loop.total_steps
        self._emit(Stepped(step, figures if is_logged else {}))
        if settings.eval_steps and self._evaluation and step % settings.eval_steps == 0:
            self.evaluate()
