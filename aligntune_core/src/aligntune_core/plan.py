"""What a run would come to: its steps, its effective batch, and the engine's own numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would come to, as its backend works it out without its engine.

    Args:
        batch: What the examples of one optimiser step are made up of, by name, e.g. ``batch_size`` and
            ``gradient_accumulation_steps``; their product is the effective batch.
        settings: The engine's own settings that the job's keys and the algorithm become, by the engine's names.
        steps: Optimiser steps in all; None where the number of rows is not known and the job does not say.
        passes: Passes over the data; None where the number of rows is not known.
        rows: Rows that are learned from; None where they were not counted.
        least_rows: Rows without which the engine can't take a step.
        completions: Completions sampled for each prompt; 0 where none are.
        checkpoint_bytes: About how large one checkpoint is; None where the size of the model is not known.
        checkpoints: How many stand on the disk at the end; None where the steps are not known.
        unsaved: ``backend_args`` with which a run writes no checkpoint, for a trial.
        untried: Names of ``backend_args`` that a trial leaves out, since they would set its length anew, or would have
            it evaluate or write outside of its folder.
    """

    batch: Mapping[str, int]
    settings: Mapping[str, Any] = field(default_factory=dict)
    steps: int | None = None
    passes: float | None = None
    rows: int | None = None
    least_rows: int = 1
    completions: int = 0
    checkpoint_bytes: int | None = None
    checkpoints: int | None = None
    unsaved: Mapping[str, Any] = field(default_factory=dict)
    untried: frozenset[str] = frozenset()

    @property
    def effective_batch(self) -> int:
        """Examples that one optimiser step learns from."""
        return prod(self.batch.values())

    def to_dict(self) -> dict[str, Any]:
        """The plan as JSON-ready values."""
        return {
            "steps": self.steps,
            "passes": self.passes,
            "rows": self.rows,
            "effective_batch": self.effective_batch,
            "batch": dict(self.batch),
            "completions": self.completions,
            "checkpoint_bytes": self.checkpoint_bytes,
            "checkpoints": self.checkpoints,
            "settings": {name: _plain(value) for name, value in self.settings.items()},
        }


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | float | str | type(None)) else str(value)
