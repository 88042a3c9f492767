"""The rules that hold for every backend: what a job's keys mean together, and what they mean to its algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.algorithms import DatasetKind, Reward, Task
from aligntune_core.capabilities import Feature
from aligntune_core.check.schedule import schedule_problems
from aligntune_core.problem import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from aligntune_core.algorithms import Algorithm
    from aligntune_core.job import Job

CORE_KEYS = frozenset(
    {
        *("algorithm", "backend", "model_name", "dataset_name", "dataset_split", "column_mapping", "max_samples"),
        *("eval_dataset_name", "eval_dataset_split", "output_dir", "trust_remote_code", "backend_args"),
        "data_limits",
        # asked of a backend as features
        *("packing", "gradient_checkpointing", "resume", "use_peft", "load_in_4bit"),
    }
)
"""Job keys that mean something on every backend, or are allowed by what its capability rows declare."""

ADAPTER_KEYS = ("lora_r", "lora_alpha", "lora_dropout", "lora_target_modules", "load_in_4bit")
SAMPLING_KEYS = ("num_generations", "max_completion_length", "temperature")


def required_features(job: Job, device: str) -> list[Feature]:
    """What a job asks of its backend beyond the algorithm.

    Args:
        job: The job.
        device: Where it would run: ``cpu`` or ``cuda``.
    """
    asked = {
        Feature.CUDA if device == "cuda" else Feature.CPU: True,
        Feature.QLORA: bool(job.load_in_4bit),
        Feature.LORA: bool(job.use_peft) and not job.load_in_4bit,
        Feature.FULL: not job.use_peft,
        Feature.PACKING: bool(job.packing),
        Feature.GRADIENT_CHECKPOINTING: bool(job.gradient_checkpointing),
        Feature.EVALUATION: job.eval_dataset_name is not None or job.eval_dataset_split is not None,
        Feature.RESUME: bool(job.resume),
        Feature.GGUF: bool(job.model_name) and job.model_name.lower().endswith(".gguf"),
    }
    return [feature for feature, wanted in asked.items() if wanted]


def job_problems(job: Job, algorithm: Algorithm | None, device: str) -> list[Problem]:
    """Every problem that follows from the job alone.

    Args:
        job: The job, or a draft of one.
        algorithm: Its algorithm, None where that is not known.
        device: Where it would run: ``cpu`` or ``cuda``.
    """
    return [
        *_contradictions(job, device),
        *feature_problems(algorithm, required_features(job, device)),
        *(_for_algorithm(job, algorithm) if algorithm else ()),
    ]


def feature_problems(algorithm: Algorithm | None, features: Collection[Feature]) -> Iterator[Problem]:
    """Why features that are asked for together have no meaning, whatever a backend declares.

    Args:
        algorithm: What is to be trained, None where that is not known.
        features: What is asked for beyond it, with the device.
    """
    if Feature.QLORA in features and Feature.CPU in features and Feature.CUDA not in features:
        yield Problem("precision", "'load_in_4bit' needs a CUDA GPU, not a CPU.", "Leave it out.", "load_in_4bit")
    if Feature.PACKING in features and algorithm and algorithm.task is not Task.SFT:
        yield Problem("no-effect", f"'packing' has no effect on '{algorithm.name}'.", "Leave it out.", "packing")


def _contradictions(job: Job, device: str) -> Iterator[Problem]:
    if not job.use_peft:
        for key in ADAPTER_KEYS:
            if job.is_set(key) and getattr(job, key) is not False:
                yield Problem("no-effect", f"'{key}' has no effect without adapters.", "Add use_peft: true.", key)
    if job.is_set("warmup_steps") and job.is_set("warmup_ratio"):
        yield Problem("contradiction", "both 'warmup_steps' and 'warmup_ratio' are given.", "Keep one.", "warmup_ratio")
    if job.is_set("max_steps") and job.is_set("num_epochs"):
        yield Problem(
            "no-effect",
            "'num_epochs' has no effect, since 'max_steps' is given too and wins.",
            "Keep one.",
            "num_epochs",
            Severity.WARNING,
        )
    if job.is_set("eval_steps") and job.eval_dataset_name is None and job.eval_dataset_split is None:
        yield Problem(
            "no-effect", "'eval_steps' has no effect without evaluation data.", "Add eval_dataset_name.", "eval_steps"
        )
    if job.max_steps is not None:
        yield from schedule_problems(job, job.max_steps)
    if job.precision == "fp16" and device == "cpu":
        yield Problem(
            "precision",
            "'precision' is fp16, which a CPU does not train in.",
            "Use precision: fp32 or bf16.",
            "precision",
        )


def _for_algorithm(job: Job, algorithm: Algorithm) -> Iterator[Problem]:
    def without_effect(*keys: str) -> Iterator[Problem]:
        for key in keys:
            if job.is_set(key) and getattr(job, key) is not False:
                yield Problem("no-effect", f"'{key}' has no effect on '{algorithm.name}'.", "Leave it out.", key)

    if not algorithm.is_online:
        yield from without_effect(*SAMPLING_KEYS)
    if algorithm.dataset is DatasetKind.PROMPTS:
        yield from without_effect("max_seq_length")
    if algorithm.task in {Task.SFT, Task.REWARD}:
        yield from without_effect("beta")
    if algorithm.reward is Reward.NONE:
        yield from without_effect("reward_functions")
    if algorithm.reward is not Reward.MODEL_OR_FUNCTIONS:
        yield from without_effect("reward_model_name")
    yield from _reward(job, algorithm)
    for key in algorithm.needs:
        if not job.is_set(key):
            yield Problem("missing-key", f"'{algorithm.name}' needs '{key}'.", f"Add {key}.", key)


def _reward(job: Job, algorithm: Algorithm) -> Iterator[Problem]:
    functions, model = bool(job.reward_functions), job.reward_model_name is not None
    if algorithm.reward is Reward.FUNCTIONS and not functions:
        yield Problem(
            "no-reward",
            f"'{algorithm.name}' learns from rewards, and the job has no reward function.",
            "Add reward_functions, e.g. [numeric_match], or a file.py:function of your own.",
            "reward_functions",
        )
    if algorithm.reward is Reward.MODEL_OR_FUNCTIONS and not (functions or model):
        yield Problem(
            "no-reward",
            f"'{algorithm.name}' learns from rewards, and the job has neither a reward model nor a reward function.",
            "Add reward_model_name (train one with algorithm: reward) or reward_functions.",
            "reward_model_name",
        )
    if algorithm.reward is Reward.MODEL_OR_FUNCTIONS and functions and model:
        yield Problem(
            "contradiction",
            "both 'reward_model_name' and 'reward_functions' are given.",
            "Keep one of them.",
            "reward_functions",
        )
