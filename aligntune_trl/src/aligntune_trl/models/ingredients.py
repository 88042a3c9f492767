"""What a trainer is made of: the job and all that was loaded for it except the model's weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aligntune_core import Job, Listener
    from aligntune_trl.translation.recipes import Recipe


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What a trainer is made of.

    Args:
        job: The job.
        recipe: How its algorithm is trained.
        model: The starting model, as transformers loads it.
        config: Its configuration.
        tokenizer: Its tokenizer.
        rows: The training data, in the form the trainer takes.
        eval_rows: The evaluation data, or None.
        emit: Where events go.
    """

    job: Job
    recipe: Recipe
    model: str
    config: Any
    tokenizer: Any
    rows: Any
    eval_rows: Any
    emit: Listener

    @property
    def context(self) -> int | None:
        """How many tokens the model can hold, where its configuration says."""
        length = getattr(self.config.get_text_config(), "max_position_embeddings", None)
        return int(length) if length else None
