"""A TRL trainer, driven through AlignTune's contract."""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core import DataError, Finished, ModelError, Notice, Saved, TrainResult
from aligntune_trl.models import is_gguf
from aligntune_trl.quiet import quiet_engine
from aligntune_trl.reporting import numbers

if TYPE_CHECKING:
    from aligntune_core import Job, Listener


class TRLTrainer:
    """A job in TRL's hands.

    Args:
        job: The job.
        native: TRL's trainer, ready to train.
        tokenizer: The model's tokenizer.
        checkpoint: The checkpoint to go on from, None to start afresh.
        emit: Where events go.
    """

    def __init__(self, job: Job, native: Any, tokenizer: Any, checkpoint: Path | None, emit: Listener) -> None:
        self._job = job
        self._native = native
        self._tokenizer = tokenizer
        self._checkpoint = checkpoint
        self._emit = emit

    @property
    def model(self) -> Any:
        """The model that is trained; a peft model where adapters are."""
        # PPO's own module holds the value model too
        return getattr(self._native, "policy", self._native.model)

    @property
    def tokenizer(self) -> Any:
        """The model's tokenizer."""
        return self._tokenizer

    @property
    def native(self) -> Any:
        """TRL's own trainer."""
        return self._native

    def train(self) -> TrainResult:
        """Train to the end, from the checkpoint the job names if it resumes."""
        begun = time.monotonic()
        with quiet_engine():
            outcome = self._native.train(resume_from_checkpoint=str(self._checkpoint) if self._checkpoint else None)
        metrics = numbers(outcome.metrics)
        result = TrainResult(
            steps=outcome.global_step,
            train_loss=metrics.get("train_loss"),
            output_dir=str(self._job.output_dir),
            metrics=metrics,
        )
        self._emit(Finished(result.steps, time.monotonic() - begun, metrics))
        return result

    def evaluate(self) -> dict[str, float]:
        """Score the evaluation data.

        Raises:
            DataError: If the job names no evaluation data.
        """
        if self._native.eval_dataset is None:
            raise DataError("the job names no evaluation data.", fix="Add eval_dataset_name.")
        with quiet_engine():
            return numbers(self._native.evaluate())

    def save(self, path: str | Path | None = None, *, merge: bool = False) -> Path:
        """Write the model and its tokenizer where transformers can load them.

        Args:
            path: The folder; the job's ``output_dir`` if None.
            merge: Fold a LoRA adapter into the weights. It needs memory for a second copy of the model.

        Returns:
            The folder.

        Raises:
            ModelError: If an adapter on a model held in 4 bits is to be merged.
        """
        folder = Path(path or self._job.output_dir).expanduser()
        adapters = hasattr(self.model, "peft_config")
        if adapters and not merge and is_gguf(self._job.model_name):
            self._emit(
                Notice(
                    "the adapter is saved merged into the model, because transformers can't load a .gguf file as an "
                    "adapter's base by name."
                )
            )
            merge = True
        with quiet_engine():
            if adapters and merge:
                self._merged().save_pretrained(folder)
                self._tokenizer.save_pretrained(folder)
            else:
                self._native.save_model(str(folder))
        self._emit(Saved(str(folder)))
        return folder

    def _merged(self) -> Any:
        if self._job.load_in_4bit:
            raise ModelError(
                "an adapter can't be merged into a model that is held in 4 bits without losing precision.",
                fix="Save the adapter, load it on the base model in full precision with peft and merge it there.",
            )
        return copy.deepcopy(self.model).merge_and_unload()
