"""A TRL trainer, driven through AlignTune's contract."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from aligntune_core import DataError, Finished, ModelError, Notice, RunError, Saved, TrainResult
from aligntune_core.kit.checkpoints.origin import other_data
from aligntune_core.kit.figures import numbers
from aligntune_core.kit.quiet import quiet_engine
from aligntune_core.kit.resuming import NothingLeftError, tied_names
from aligntune_core.models.source import ModelKind, model_source
from aligntune_trl.run.callbacks import add_callbacks
from aligntune_trl.run.effect import a_batch
from aligntune_trl.run.finite import sampling
from aligntune_trl.translation.recipes import RECIPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from aligntune_core import Job, Listener


class TRLTrainer:
    """A job in TRL's hands.

    Args:
        job: The job.
        native: TRL's trainer, ready to train.
        tokenizer: The model's tokenizer.
        checkpoint: The checkpoint to go on from, None to start afresh.
        emit: Where events go.
        merged: Makes a copy of a model with its adapter folded into its weights.
    """

    def __init__(
        self,
        job: Job,
        native: Any,
        tokenizer: Any,
        checkpoint: Path | None,
        emit: Listener,
        *,
        merged: Callable[[Any], Any],
    ) -> None:
        self._job = job
        self._native = native
        self._tokenizer = tokenizer
        self._checkpoint = checkpoint
        self._emit = emit
        self._copy_merged = merged
        self._effect = add_callbacks(native, job, RECIPES[job.algorithm or ""], emit)

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
        """Train to the end, from the checkpoint the job names if it resumes.

        Raises:
            RunError: If the loss, the gradients or the weights at a checkpoint are not finite, or the run did nothing.
            RewardError: If a reward function fails, or leaves batch after batch without a reward.
        """
        begun = time.monotonic()
        if self._checkpoint and (note := other_data(self._job, self._checkpoint)):
            self._emit(Notice(f"{note}.", warning=True))
        try:
            with quiet_engine(tied_names(self.model)), sampling(), a_batch():
                outcome = self._native.train(resume_from_checkpoint=str(self._checkpoint) if self._checkpoint else None)
        except NothingLeftError:
            steps, metrics = self._finish_untrained(), {}
        else:
            steps, metrics = outcome.global_step, numbers(outcome.metrics)
            self._effect.require(steps, self._emit)
        result = TrainResult(
            steps=steps,
            train_loss=metrics.get("train_loss"),
            output_dir=str(self._job.output_dir),
            metrics=metrics,
        )
        self._emit(Finished(steps, time.monotonic() - begun, metrics))
        return result

    def _finish_untrained(self) -> int:
        """End a run whose checkpoint holds all of it, as the engine ends one; returns the checkpoint's steps."""
        native, state = self._native, self._native.state
        if native.args.load_best_model_at_end and state.best_model_checkpoint:
            with quiet_engine(tied_names(self.model)):
                native._load_best_model()  # noqa: SLF001 - there is no public name for it
        native.is_in_train = False
        native.control = native.callback_handler.on_train_end(native.args, state, native.control)
        self._emit(
            Notice(
                f"nothing is left to train: '{self._checkpoint}' is at step {state.global_step}, and the job ends at "
                f"step {state.max_steps}."
            )
        )
        return int(state.global_step)

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
            RunError: If the folder can't be written.
        """
        if path is not None and not str(path):
            raise RunError("the model can't be saved to '', which is no path.", fix="Name a folder, or leave path out.")
        folder = Path(self._job.output_dir if path is None else path).expanduser()
        adapters = hasattr(self.model, "peft_config")
        if adapters and not merge and model_source(self._job.model_name).kind is ModelKind.GGUF:
            self._emit(
                Notice(
                    "the adapter is saved merged into the model, because transformers can't load a .gguf file as an "
                    "adapter's base by name."
                )
            )
            merge = True
        try:
            with quiet_engine():
                self._write(folder, merge=adapters and merge)
        except (OSError, SafetensorError) as error:
            raise RunError(
                f"the model can't be written to '{folder}': {error}.",
                fix="Check the path, its permissions and the room on its disk.",
            ) from error
        self._emit(Saved(str(folder)))
        return folder

    def _write(self, folder: Path, *, merge: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)  # transformers only logs that a file is where the folder should be
        if merge:
            self._merged().save_pretrained(folder)
            self._tokenizer.save_pretrained(folder)
        else:
            self._native.save_model(str(folder))

    def _merged(self) -> Any:
        if self._job.load_in_4bit:
            raise ModelError(
                "an adapter can't be merged into a model that is held in 4 bits without losing precision.",
                fix="Save the adapter, load it on the base model in full precision with peft and merge it there.",
            )
        return self._copy_merged(self.model)
