"""What a run would come to in TRL's own numbers, worked out without importing it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import ceil, lcm
from typing import TYPE_CHECKING, Any

from aligntune_core import Plan
from aligntune_core.machine.devices import cuda_device_count, device
from aligntune_trl.translation.arguments import config_arguments
from aligntune_trl.translation.checkpoint_size import checkpoint_bytes
from aligntune_trl.translation.fields import declared_fields
from aligntune_trl.translation.recipes import RECIPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aligntune_core import Job
    from aligntune_trl.translation.recipes import Recipe

_SHOWN = (
    *("per_device_train_batch_size", "gradient_accumulation_steps", "steps_per_generation", "num_generations"),
    *("learning_rate", "max_length"),
)
"""Settings that are shown although they are the engine's defaults."""
_OURS = frozenset({"disable_tqdm", "output_dir"})
_UNTRIED = frozenset(
    {
        *("max_steps", "num_train_epochs", "logging_strategy", "logging_steps", "report_to", "push_to_hub"),
        *("save_strategy", "save_steps", "save_total_limit", "load_best_model_at_end"),
        *("eval_strategy", "eval_steps", "eval_on_start"),
    }
)
"""Settings of a run's length, of what it leaves behind, and of evaluations."""


def plan_job(job: Job, rows: int | None) -> Plan | None:
    """What a job would come to; None for an algorithm that this backend does not train.

    Args:
        job: The job.
        rows: How many rows are learned from; None where they were not counted.
    """
    recipe = RECIPES.get(job.algorithm or "")
    if recipe is None:
        return None
    numbers = _numbers(job, recipe)
    arguments = config_arguments(job, recipe)
    shown = {name: numbers[name] for name in _SHOWN if numbers[name] is not None}
    given = {name: value for name, value in arguments.items() if name not in _OURS}
    steps = numbers.steps(rows)
    return Plan(
        batch=numbers.batch(),
        settings={**shown, **given, **_precision(job)},
        steps=steps,
        passes=numbers.passes(rows),
        rows=rows,
        least_rows=numbers.least_rows(),
        completions=int(numbers["num_generations"] or 0) if recipe.is_grouped else int(recipe.samples),
        checkpoint_bytes=checkpoint_bytes(job, recipe),
        checkpoints=numbers.checkpoints(steps),
        unsaved={"save_strategy": "no"},
        untried=_UNTRIED,
    )


def _precision(job: Job) -> dict[str, bool]:
    """What is decided where the job names none; on a GPU only the engine's library knows."""
    named = job.precision or {"bf16", "fp16", "use_cpu"} & set(job.backend_args)
    return {} if named or device() == "cuda" else {"bf16": False}


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The settings that a run's length follows from.

    Args:
        arguments: What is given to the engine.
        defaults: What holds for the rest.
        recipe: How the algorithm is trained.
        devices: How many devices learn at the same time.
    """

    arguments: Mapping[str, Any]
    defaults: Mapping[str, Any]
    recipe: Recipe
    devices: int

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name] if name in self.arguments else self.defaults.get(name)

    @property
    def accumulation(self) -> int:
        """Batches added up for each step."""
        return int(self["gradient_accumulation_steps"] or 1)

    @property
    def at_once(self) -> int:
        """Examples that all devices take at once; a rollout is a step's."""
        examples = int(self["per_device_train_batch_size"]) * self.devices
        return examples * self.accumulation if self.recipe.is_rollout else examples

    @property
    def batches_per_generation(self) -> int:
        """Batches whose completions are sampled at once."""
        if given := self["generation_batch_size"]:
            return max(int(given) // self.at_once, 1)
        return int(self["steps_per_generation"] or self.accumulation)

    @property
    def completions_per_generation(self) -> int:
        """Completions that are sampled at once, on all devices."""
        return int(self["generation_batch_size"] or self.at_once * self.batches_per_generation)

    @property
    def prompts_per_generation(self) -> int:
        """Prompts whose completions are sampled at once."""
        return self.completions_per_generation // int(self["num_generations"])

    def least_rows(self) -> int:
        """Rows without which no step is taken."""
        if self.recipe.is_grouped:
            return self.prompts_per_generation
        return self.at_once if self["dataloader_drop_last"] else 1

    def batch(self) -> dict[str, int]:
        """What the examples of one step are made up of."""
        examples = int(self["per_device_train_batch_size"])
        if self.recipe.is_grouped:
            examples //= int(self["num_generations"])
        made_of = {"batch_size": max(examples, 1), "gradient_accumulation_steps": self.accumulation}
        return {**made_of, "devices": self.devices} if self.devices > 1 else made_of

    def steps(self, rows: int | None) -> int | None:
        """Optimiser steps of the whole run; None where the rows were not counted."""
        most = self["max_steps"] or 0
        if most > 0:
            return int(most)
        if rows is None or self["packing"]:
            # how many sequences the rows are packed into is known once they are
            return None
        return ceil(float(self["num_train_epochs"]) * self._steps_per_epoch(rows))

    def passes(self, rows: int | None) -> float | None:
        """Passes over the data; None where the rows were not counted."""
        if not rows or self["packing"]:
            return None
        most = self["max_steps"] or 0
        return most / self._steps_per_epoch(rows) if most > 0 else float(self["num_train_epochs"])

    def _steps_per_epoch(self, rows: int) -> int:
        """As transformers counts them; a last, short accumulation is a step of its own."""
        if self.recipe.is_grouped:
            generations = rows // max(self.prompts_per_generation, 1)
            batches = generations * self.batches_per_generation * int(self["num_iterations"] or 1)
        else:
            batches = rows // self.at_once if self["dataloader_drop_last"] else ceil(rows / self.at_once)
        return max(batches if self.recipe.is_rollout else ceil(batches / self.accumulation), 1)

    def checkpoints(self, steps: int | None) -> int | None:
        """Checkpoints on the disk at the end; the last step is always one."""
        strategy = str(self["save_strategy"] or "steps")
        if steps is None or strategy not in {"steps", "no"}:
            return None
        if strategy == "no":
            return 0
        interval = self["save_steps"] or 500
        period = int(interval if interval >= 1 else max(ceil(interval * steps), 1))
        if self.recipe.is_grouped:
            batches = self.batches_per_generation * int(self["num_iterations"] or 1)
            period = lcm(period, steps_between_generations(batches, self.accumulation))
        written = ceil(steps / period)
        limit = self["save_total_limit"]
        return min(written, int(limit)) if limit else written


def steps_between_generations(batches: int, accumulation: int) -> int:
    """Optimiser steps from one batch of completions to the next that begins with a step.

    Args:
        batches: Forward and backward passes that one batch of completions serves.
        accumulation: Those that are added up for a step.
    """
    return lcm(batches, accumulation) // accumulation


def _numbers(job: Job, recipe: Recipe) -> _Numbers:
    defaults = {name: field.default for name, field in declared_fields(recipe.config).items()}
    # one process uses all GPUs in sight, several share them
    several = int(os.environ.get("WORLD_SIZE", "1"))
    devices = several if several > 1 else 1 if recipe.is_rollout else max(cuda_device_count(), 1)
    return _Numbers(config_arguments(job, recipe), defaults, recipe, devices)
