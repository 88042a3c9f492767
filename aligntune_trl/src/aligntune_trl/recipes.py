"""Which of TRL's trainers runs which algorithm, with which settings: one row each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import DatasetKind

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Recipe:
    """How TRL trains one algorithm.

    Args:
        trainer: The trainer class's name in ``trl``.
        config: Its configuration class's name in ``trl``.
        kind: The rows it learns from.
        keys: Job keys that this trainer alone has, with their names in the configuration.
        settings: What defines the algorithm, set whatever TRL's own defaults are; a user's value wins.
        reference: Whether full fine-tuning needs a frozen copy of the starting model.
    """

    trainer: str
    config: str
    kind: DatasetKind
    keys: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    reference: bool = False


RECIPES: Mapping[str, Recipe] = {
    "sft": Recipe(
        "SFTTrainer",
        "SFTConfig",
        DatasetKind.DEMONSTRATIONS,
        keys={"max_seq_length": "max_length", "packing": "packing"},
    ),
    "dpo": Recipe(
        "DPOTrainer",
        "DPOConfig",
        DatasetKind.PAIRS,
        keys={"max_seq_length": "max_length", "beta": "beta"},
        # arXiv 2305.18290, equation 7
        settings={"loss_type": ["sigmoid"]},
        reference=True,
    ),
}
