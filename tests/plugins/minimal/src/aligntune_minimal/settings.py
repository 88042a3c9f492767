"""What the engine can be told, with its own defaults."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from aligntune_core import Job

SCHEDULES = ("linear", "cosine", "constant")
PRECISIONS = ("fp32", "bf16")


@dataclass(frozen=True, slots=True)
class Settings:
    """The engine's settings: those that are job keys under the same names, then the engine's own.

    Args:
        lr_scheduler: How the learning rate falls after the warm-up: one of ``SCHEDULES``.
        warmup_ratio: The warm-up as a share of all steps, used where ``warmup_steps`` is None.
        max_seq_length: Tokens after which an example is cut off; None leaves it whole.
        max_grad_norm: 0 leaves gradients as they are.
        eval_steps: Steps between two evaluations; None evaluates only when asked.
        adam_betas: Decay rates of AdamW's running averages.
        unlikelihood_weight: What a bad answer's loss counts in ``unlikelihood``; a good answer's counts 1.
    """

    num_epochs: float = 1.0
    max_steps: int | None = None
    batch_size: int = 4
    gradient_accumulation_steps: int = 1
    learning_rate: float = 5e-4
    lr_scheduler: str = "linear"
    warmup_steps: int | None = None
    warmup_ratio: float = 0.0
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    max_seq_length: int | None = None
    seed: int = 42
    precision: str = "fp32"
    logging_steps: int = 10
    eval_steps: int | None = None
    adam_betas: tuple[float, float] = (0.9, 0.999)
    unlikelihood_weight: float = 1.0

    @classmethod
    def of(cls, job: Job) -> Self:
        """A job's settings; the engine's defaults for what the user left alone."""
        from aligntune_minimal.arguments import ARGUMENTS

        keys = {key: value for key, value in job.settings().items() if key in JOB_KEYS}
        return cls(**keys, **ARGUMENTS[job.algorithm].model_validate(job.backend_args).model_dump())

    def total_steps(self, examples: int) -> int:
        """Optimiser steps of a run over so many examples."""
        per_step = self.batch_size * self.gradient_accumulation_steps
        return self.max_steps or math.ceil(self.num_epochs * math.ceil(examples / per_step))


JOB_KEYS = frozenset(field.name for field in fields(Settings)) - {"adam_betas", "unlikelihood_weight"}
"""The job keys that the engine's settings come from."""
