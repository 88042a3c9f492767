"""One training request: every key it may have, what each means, and what values make sense."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, WithJsonSchema

from aligntune_core.wording import closest, shown

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


def _contained(validator: Callable[[object], object]) -> Callable[[object], object]:
    """The same validator, for which an object that fails when it is looked at is a wrong value like others."""

    def validate(value: object) -> object:
        try:
            return validator(value)
        except ValueError:
            raise
        except Exception as error:
            raise ValueError(f"it fails when it is looked at ({type(error).__name__})") from error

    return validate


def _refuse_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a number is expected, not true or false")
    return value


def _whole(value: object) -> object:
    # YAML reads 1e3 as text
    if isinstance(value, str) and "e" in value.lower():
        try:
            return float(value)
        except ValueError:
            return value
    return _refuse_bool(value)


@_contained
def _text(value: object) -> object:
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        if not value.strip():
            raise ValueError("it may not be empty")
        if "\0" in value or not _is_unicode(value):
            raise ValueError("it holds a character that no name can hold")
    return value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@_contained
def _rows(value: object) -> object:
    value = _text(value)
    could_be_rows = hasattr(value, "__iter__") or hasattr(value, "__getitem__")
    if not could_be_rows or type(value) in {bytes, bytearray, dict} or isinstance(value, type):
        raise ValueError("it has to be a name, a path, a datasets.Dataset or a list of rows")
    return value


def _listed(value: object) -> object:
    if isinstance(value, Iterator):
        raise ValueError("it can be read only once: give a list")
    return [value] if isinstance(value, str) or callable(value) else value


def _not_empty(value: list[str]) -> list[str]:
    if not value:
        raise ValueError("it may not be empty")
    return value


def _own(value: Any, depth: int = 0) -> Any:
    """The value in containers of its own, so that the job does not change with the caller's."""
    if depth > _DEEPEST:
        raise ValueError("it is nested too deeply or holds itself")
    if type(value) is dict:
        return {key: _own(item, depth + 1) for key, item in value.items()}
    if type(value) in {list, tuple}:
        return type(value)(_own(item, depth + 1) for item in value)
    return value


def _own_or_same(value: Any) -> Any:
    try:
        return _own(value)
    except ValueError:  # whoever brings the key says what is wrong with its value
        return value


@_contained
def _limits(value: object) -> object:
    """Limits of data with their sizes as numbers of bytes."""
    if not isinstance(value, Mapping):
        return value
    return {_limit_name(name): _limit(name, given) for name, given in value.items() if given is not None}


def _limit_name(name: object) -> str:
    if name in DATA_LIMITS:
        return str(name)
    match = closest(name, DATA_LIMITS) if isinstance(name, str) else None
    hint = f"did you mean '{match}'?" if match else f"there are {', '.join(DATA_LIMITS)}"
    raise ValueError(f"there is no limit {shown(name)} ({hint})")


def _limit(name: str, given: object) -> int:
    amount = _size(given) if isinstance(given, str) else _refuse_bool(given)
    wanted = DATA_LIMITS[name]
    if not isinstance(amount, int | float) or not math.isfinite(amount) or amount != int(amount):
        raise ValueError(f"'{name}' has to be {wanted}, not {shown(given)}")
    if not 1 <= amount <= _LARGEST:
        raise ValueError(f"'{name}' has to be at least 1 and at most {_LARGEST}, not {shown(given)}")
    return int(amount)


def _size(text: str) -> float | None:
    found = re.fullmatch(r"\s*(\d{1,20}(?:\.\d{1,6})?(?:e\d{1,2})?)\s*([a-z]*)\s*", text.lower())
    if found is None or found[2] not in _UNITS:
        return None
    return float(int(float(found[1]) * _UNITS[found[2]]))


DATA_LIMITS = {
    "row": "a number of bytes or a size like 64MiB",
    "file": "a number of bytes or a size like 100GiB",
    "expansion": "a whole number",
}
"""The limits that ``data_limits`` may set, and what each is."""

_UNITS = {"": 1, "b": 1} | {
    f"{letter}{end}": base**power
    for power, letter in enumerate("kmgt", start=1)
    for end, base in (("b", 1000), ("ib", 1024))
}
_LARGEST = 2**50
_DEEPEST = 32
_MOST = 2**31 - 1

Count = Annotated[int, BeforeValidator(_whole), Field(gt=0, le=_MOST)]
Ordinal = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=_MOST)]
Positive = Annotated[float, BeforeValidator(_refuse_bool), Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, BeforeValidator(_refuse_bool), Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, BeforeValidator(_refuse_bool), Field(ge=0, lt=1, allow_inf_nan=False)]
Text = Annotated[str, BeforeValidator(_text)]
Texts = Annotated[list[Text], BeforeValidator(_listed)]
Rows = Annotated[Any, BeforeValidator(_rows), WithJsonSchema({"type": "string"})]
_SIZE = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]}
DataLimits = Annotated[
    dict[str, int],
    BeforeValidator(_limits),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {"row": _SIZE, "file": _SIZE, "expansion": {"type": "integer", "minimum": 1}},
            "additionalProperties": False,
        }
    ),
]
RewardFunctions = Annotated[
    list[Text | Callable[..., Any]] | dict[Text, float],
    BeforeValidator(_listed),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": {"type": "number"}},
            ]
        }
    ),
]


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
    lora_target_modules: Annotated[Texts, AfterValidator(_not_empty)] | None = Field(
        None, description="Layers that get adapters, e.g. [q_proj, v_proj]"
    )
    load_in_4bit: bool | None = Field(None, description="Hold the frozen model in 4 bits (QLoRA)")

    # preference and reinforcement learning
    beta: NotNegative | None = Field(None, description="Weight of the pull towards the reference model")
    reward_model_name: Text | None = Field(None, description="A model that scores completions (PPO)")
    reward_functions: RewardFunctions | None = Field(
        None, description="Functions that score completions: names, module:function, file.py:function, with weights"
    )
    num_generations: Annotated[int, BeforeValidator(_whole), Field(gt=1, le=_MOST)] | None = Field(
        None, description="Completions sampled for each prompt (a group)"
    )
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
    backend_args: Annotated[dict[str, Any], BeforeValidator(_own)] = Field(
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
        copy._further = {key: _own_or_same(value) for key, value in values.items()}  # noqa: SLF001 of the same class
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
        return {key: _plain(value) for key, value in self.settings().items()}


def _plain(value: object, depth: int = 0) -> Any:
    try:
        return _as_json(value, depth)
    except Exception:  # an object of the user's own that fails when it is looked at
        return f"<{type(value).__name__}>"


def _as_json(value: object, depth: int) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | float | str):
        return value
    if isinstance(value, int) and value.bit_length() <= 1024:
        return value
    if isinstance(value, Mapping) and depth <= _DEEPEST:
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple) and len(value) <= 100 and depth <= _DEEPEST:
        return [_plain(item, depth + 1) for item in value]
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}:{value.__qualname__}"
    rows = f" of {len(value)} rows" if hasattr(value, "__len__") else ""
    return f"<{type(value).__name__}{rows}>"
