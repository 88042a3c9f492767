"""A trainer of the TRL backend whose engine prints: what it prints goes to standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_unsloth.process import printing_to_stderr

if TYPE_CHECKING:
    from pathlib import Path

    from aligntune_core import TrainResult
    from aligntune_trl.run.trainer import TRLTrainer


class UnslothTrainer:
    """A job in Unsloth's hands.

    Args:
        made: The trainer as the TRL backend drives it.
    """

    def __init__(self, made: TRLTrainer) -> None:
        self._made = made

    @property
    def model(self) -> Any:
        """The model that is trained; a peft model where adapters are."""
        return self._made.model

    @property
    def tokenizer(self) -> Any:
        """The model's tokenizer."""
        return self._made.tokenizer

    @property
    def native(self) -> Any:
        """TRL's trainer, as Unsloth has rewritten it."""
        return self._made.native

    def train(self) -> TrainResult:
        """Train to the end, from the checkpoint the job names if it resumes.

        Raises:
            RunError: If the loss, the gradients or the weights are no longer finite, or the run did nothing.
            RewardError: If a reward function fails, or leaves batch after batch without a reward.
        """
        with printing_to_stderr():
            return self._made.train()

    def evaluate(self) -> dict[str, float]:
        """Score the evaluation data.

        Raises:
            DataError: If the job names no evaluation data.
        """
        with printing_to_stderr():
            return self._made.evaluate()

    def save(self, path: str | Path | None = None, *, merge: bool = False) -> Path:
        """Write the model and its tokenizer where transformers can load them.

        Args:
            path: The folder; the job's ``output_dir`` if None.
            merge: Fold a LoRA adapter into the weights.

        Returns:
            The folder.

        Raises:
            ModelError: If an adapter on a model held in 4 bits is to be merged.
            RunError: If the trained weights are not finite, or the folder can't be written.
        """
        with printing_to_stderr():
            return self._made.save(path, merge=merge)
