"""The features of backends: what each means, and what in a job asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aligntune_core.capabilities import Feature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aligntune_core.job import Job


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """What is known of one feature.

    Args:
        meaning: What it is that a backend declares.
        words: How a message says that a job asks for it, after "does not train 'sft'".
        key: The job key that asks for it; empty where no key does.
        asked: Whether a job asks for it on a device, ``cpu`` or ``cuda``.
    """

    meaning: str
    words: str
    key: str
    asked: Callable[[Job, str], bool]


FEATURES: dict[Feature, FeatureRow] = {
    Feature.FULL: FeatureRow(
        "every weight of the model is trained",
        "with all weights",
        "use_peft",
        lambda job, _: not job.use_peft,
    ),
    Feature.LORA: FeatureRow(
        "low-rank adapters are trained on a frozen model (arXiv 2106.09685)",
        "with LoRA adapters",
        "use_peft",
        lambda job, _: bool(job.use_peft) and not job.load_in_4bit,
    ),
    Feature.QLORA: FeatureRow(
        "low-rank adapters on a model held in 4 bits (arXiv 2305.14314)",
        "with adapters on a model in 4 bits",
        "load_in_4bit",
        lambda job, _: bool(job.load_in_4bit),
    ),
    Feature.PACKING: FeatureRow(
        "several short examples share one sequence",
        "with packing",
        "packing",
        lambda job, _: bool(job.packing),
    ),
    Feature.GRADIENT_CHECKPOINTING: FeatureRow(
        "activations are recomputed in the backward pass to save memory",
        "with gradient checkpointing",
        "gradient_checkpointing",
        lambda job, _: bool(job.gradient_checkpointing),
    ),
    Feature.EVALUATION: FeatureRow(
        "evaluation data is scored during and after training",
        "with evaluation data",
        "eval_dataset_name",
        lambda job, _: job.evaluates,
    ),
    Feature.RESUME: FeatureRow(
        "a run continues from a checkpoint",
        "from a checkpoint",
        "resume",
        lambda job, _: bool(job.resume),
    ),
    Feature.GGUF: FeatureRow(
        "the starting model may be a .gguf file",
        "from a .gguf file",
        "model_name",
        lambda job, _: bool(job.model_name) and job.model_name.lower().endswith(".gguf"),
    ),
    Feature.CPU: FeatureRow(
        "it runs without an accelerator",
        "on a CPU",
        "",
        lambda _, device: device != "cuda",
    ),
    Feature.CUDA: FeatureRow(
        "it runs on NVIDIA GPUs",
        "on a CUDA GPU",
        "",
        lambda _, device: device == "cuda",
    ),
    Feature.MULTI_GPU: FeatureRow(
        "it runs on several GPUs of one machine",
        "on several GPUs",
        "",
        lambda *_: False,
    ),
}
"""A row for each feature, in the order in which messages name them."""


def feature_words(feature: str) -> str:
    """How a message says that a feature is asked for, after "does not train 'sft'"."""
    row = FEATURES.get(feature)  # type: ignore[call-overload]
    return row.words if row else f"with '{feature}'"


def feature_key(feature: str) -> str:
    """The job key that asks for a feature; empty where no key does, or none that the core knows."""
    row = FEATURES.get(feature)  # type: ignore[call-overload]
    return row.key if row else ""


def in_messages_order(features: Iterable[str]) -> list[str]:
    """Features in the order in which messages name them: the core's as in its table, then others by name."""
    rank = {feature: index for index, feature in enumerate(FEATURES)}
    return sorted(features, key=lambda each: (rank.get(each, len(rank)), each))  # type: ignore[call-overload]


def required_features(job: Job, device: str) -> list[Feature]:
    """What a job asks of its backend beyond the algorithm.

    Args:
        job: The job.
        device: Where it would run: ``cpu`` or ``cuda``.
    """
    return [feature for feature, row in FEATURES.items() if row.asked(job, device)]
