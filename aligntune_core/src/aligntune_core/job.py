"""One training request: every key it may have, what each means, and what values make sense."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr

from aligntune_core.job_values import (
    Count,
    DataLimits,
    NotNegative,
    Ordinal,
    Positive,
    RewardFunctions,
    Rows,
    Several,
    Share,
    Text,
    Texts,
    not_empty,
    own,
    own_or_same,
    plain_json,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

LEARNING_RATE_SCHEDULES = (
    "linear",
    "cosine",
    "cosine_with_restarts",
    "cosine_with_min_lr",
    "polynomial",
    "constant",
    "constant_with_warmup",
    "inverse_sqrt",
    "warmup_stable_decay",
)


class Job(BaseModel):
    """A request to train one model with one algorithm on one dataset.

    A key that is None, or not in ``model_fields_set``, was left alone: the engine's own default holds, except where
    the key says otherwise. Jobs are immutable.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, protected_namespaces=(), validate_default=False
    )

    # what, from what, with what
    algorithm: Text = Field(description="What to train with: sft, dpo, ... (`aligntune capabilities` lists them)")
    model_name: Text = Field(description="The starting model: a hub id, a local folder, a .gguf file or builtin:tiny")
    dataset_name: Rows = Field(
        description="What to learn from: a hub id, a local file or folder, builtin:NAME, or in Python a Dataset"
    )
    backend: Text = Field("auto", description="The engine: trl, unsloth, another installed one, or auto")

    isolation: Literal["process"] | None = Field(
        None, description="Where the engine runs: process is one of its own (default: the program's)"
    )

    # data
    dataset_split: Text | None = Field(None, description="The split to learn from (default: train)")
    eval_dataset_name: Rows | None = Field(
        None,
        description="What to evaluate on: named like dataset_name, and the same if only a split is given",
    )
    eval_dataset_split: Text | None = Field(
        None, description="The split to evaluate on (default: test; train for a local file, which has no other)"
    )
    column_mapping: dict[str, str] | None = Field(
        None, description="From the dataset's column names to those of a known format, e.g. {query: instruction}"
    )
    data_limits: DataLimits | None = Field(
        None,
        description="What a local data file may hold: {row: 16MiB, file: 256GiB, expansion: 100} unless others are set",
    )
    max_samples: Count | None = Field(None, description="Use no more than this many rows, the first ones")
    max_seq_length: Count | None = Field(None, description="Tokens of an example after which it is cut off")
    packing: bool | None = Field(None, description="Put several short examples into one sequence (SFT)")

    # length and speed of training
    num_epochs: Positive | None = Field(None, description="Passes over the dataset")
    max_steps: Count | None = Field(None, description="Optimiser steps; wins over num_epochs")
    batch_size: Count | None = Field(
        None, description="Examples a device takes in one forward and backward pass; prompts for GRPO and its kin"
    )
    gradient_accumulation_steps: Count | None = Field(None, description="Batches added up before each optimiser step")
    learning_rate: Positive | None = Field(None, description="The highest learning rate of the schedule")
    lr_scheduler: Literal[LEARNING_RATE_SCHEDULES] | None = Field(  # type: ignore[valid-type]
        None, description="How the learning rate changes over the run"
    )
    warmup_steps: Ordinal | None = Field(None, description="Optimiser steps over which the learning rate rises")
    warmup_ratio: Share | None = Field(None, description="The same as a share of all steps")
    weight_decay: NotNegative | None = Field(None, description="Decoupled weight decay (AdamW)")
    max_grad_norm: NotNegative | None = Field(None, description="Gradients are scaled down to this norm; 0 leaves them")
    seed: Ordinal | None = Field(None, description="The seed of every random choice (default: 42)")
    precision: Literal["fp32", "bf16", "fp16"] | None = Field(None, description="The arithmetic of training")
    gradient_checkpointing: bool | None = Field(
        None, description="Recompute activations in the backward pass: less memory, more time"
    )

    # adapters
    use_peft: bool | None = Field(None, description="Train LoRA adapters instead of all weights (default: false)")
    lora_r: Count | None = Field(None, description="Rank of the adapters")
    lora_alpha: Positive | None = Field(None, description="Adapters are scaled by lora_alpha / lora_r")
    lora_dropout: Share | None = Field(None, description="Dropout on the adapters' input")
    lora_target_modules: Annotated[Texts, AfterValidator(not_empty)] | None = Field(
        None, description="Layers that get adapters, e.g. [q_proj, v_proj]"
    )
    load_in_4bit: bool | None = Field(None, description="Hold the frozen model in 4 bits (QLoRA)")

    # preference and reinforcement learning
    beta: NotNegative | None = Field(None, description="Weight of the pull towards the reference model")
    reward_model_name: Text | None = Field(None, description="A model that scores completions (PPO)")
    reward_functions: RewardFunctions | None = Field(
        None, description="Functions that score completions: names, module:function, file.py:function, with weights"
    )
    num_generations: Several | None = Field(None, description="Completions sampled for each prompt (a group)")
    max_completion_length: Count | None = Field(None, description="Tokens a sampled completion may have")
    temperature: Positive | None = Field(None, description="Temperature of sampling")

    # what is written
    output_dir: Text = Field("aligntune-output", description="Where checkpoints and the trained model go")
    logging_steps: Count | None = Field(None, description="Steps between two logs of metrics")
    save_steps: Count | None = Field(None, description="Steps between two checkpoints")
    save_total_limit: Count | None = Field(None, description="Checkpoints that are kept, the newest")
    eval_steps: Count | None = Field(None, description="Steps between two evaluations")
    resume: bool | Text | None = Field(
        None, description="Continue from the newest checkpoint in output_dir (true) or from a checkpoint's path"
    )
    report_to: Texts | None = Field(
        None, description="Trackers that get the metrics: wandb, tensorboard (default: none)"
    )

    # trust and the engine's own
    trust_remote_code: bool = Field(False, description="Run code that comes with the model")
    backend_args: Annotated[dict[str, Any], BeforeValidator(own)] = Field(
        default_factory=dict, description="Settings that only the chosen engine knows, under the engine's own names"
    )

    _further: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def is_local_rows(self) -> bool:
        """Whether the dataset is an object in memory and not a name."""
        return not isinstance(self.dataset_name, str)

    @property
    def further(self) -> Mapping[str, Any]:
        """The keys that a plugin brings and this job sets, as they were written."""
        return MappingProxyType(self._further)

    def with_further(self, values: Mapping[str, Any]) -> Self:
        """The same job with these keys of a plugin's, and no others.

        Args:
            values: The keys with their values.
        """
        copy = self.model_copy()
        copy._further = {key: own_or_same(value) for key, value in values.items()}  # noqa: SLF001 of the same class
        return copy

    @property
    def evaluates(self) -> bool:
        """Whether evaluation is asked for: by data of its own, or by a split of the same."""
        return self.eval_dataset_name is not None or self.eval_dataset_split is not None

    def is_set(self, key: str) -> bool:
        """Whether the user gave this key a value other than None."""
        if key in self._further:
            return self._further[key] is not None
        return key in self.model_fields_set and getattr(self, key) is not None

    def settings(self) -> dict[str, Any]:
        """The keys the user set, with their values; those that a plugin brings come last."""
        return {key: getattr(self, key) for key in type(self).model_fields if self.is_set(key)} | self._further

    def to_dict(self) -> dict[str, Any]:
        """The keys the user set, as JSON-ready values; what can't be written as JSON is described in words."""
        return {key: plain_json(value) for key, value in self.settings().items()}
