"""The rules that hold for every backend: what a job's keys mean together, and what they mean to its algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.algorithms import DatasetKind, Reward, Task
from aligntune_core.backends.objections import feature_problems
from aligntune_core.check.schedule import schedule_problems
from aligntune_core.problem import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from aligntune_core.check.considered import Considered

CORE_KEYS = frozenset(
    {
        *("algorithm", "backend", "model_name", "dataset_name", "dataset_split", "column_mapping", "max_samples"),
        *("eval_dataset_name", "eval_dataset_split", "output_dir", "trust_remote_code", "backend_args"),
        *("data_limits", "isolation"),
        # asked of a backend as features
        *("packing", "gradient_checkpointing", "resume", "use_peft", "load_in_4bit"),
    }
)
"""Job keys that mean something on every backend, or are allowed by what its capability rows declare."""

ADAPTER_KEYS = ("lora_r", "lora_alpha", "lora_dropout", "lora_target_modules", "load_in_4bit")
SAMPLING_KEYS = ("num_generations", "max_completion_length", "temperature")


def _adapters_without_effect(considered: Considered) -> Iterator[Problem]:
    job = considered.job
    if not job.use_peft:
        for key in ADAPTER_KEYS:
            if job.is_set(key) and getattr(job, key) is not False:
                yield Problem("no-effect", f"'{key}' has no effect without adapters.", "Add use_peft: true.", key)


def _warmup(considered: Considered) -> Iterator[Problem]:
    if considered.job.is_set("warmup_steps") and considered.job.is_set("warmup_ratio"):
        yield Problem("contradiction", "both 'warmup_steps' and 'warmup_ratio' are given.", "Keep one.", "warmup_ratio")


def _length(considered: Considered) -> Iterator[Problem]:
    if considered.job.is_set("max_steps") and considered.job.is_set("num_epochs"):
        yield Problem(
            "no-effect",
            "'num_epochs' has no effect, since 'max_steps' is given too and wins.",
            "Keep one.",
            "num_epochs",
            Severity.WARNING,
        )


def _evaluation(considered: Considered) -> Iterator[Problem]:
    if considered.job.is_set("eval_steps") and not considered.job.evaluates:
        yield Problem(
            "no-effect", "'eval_steps' has no effect without evaluation data.", "Add eval_dataset_name.", "eval_steps"
        )


def _intervals(considered: Considered) -> Iterable[Problem]:
    steps = considered.job.max_steps
    return () if steps is None else schedule_problems(considered.job, steps)


def _precision(considered: Considered) -> Iterator[Problem]:
    if considered.job.precision == "fp16" and considered.device == "cpu":
        yield Problem(
            "precision",
            "'precision' is fp16, which a CPU does not train in.",
            "Use precision: fp32 or bf16.",
            "precision",
        )


def _features(considered: Considered) -> Iterator[Problem]:
    return feature_problems(considered.algorithm, considered.features)


def _without_effect(considered: Considered) -> Iterator[Problem]:
    job, algorithm = considered.job, considered.algorithm
    if algorithm is None:
        return
    idle = {
        # a plugin's own task may sample or not: its backend says which keys it takes
        SAMPLING_KEYS: algorithm.task in set(Task) - {Task.ONLINE_RL},
        ("max_seq_length",): algorithm.dataset is DatasetKind.PROMPTS,
        ("beta",): algorithm.task in {Task.SFT, Task.REWARD},
        ("reward_functions",): algorithm.reward is Reward.NONE,
        ("reward_model_name",): algorithm.reward is not Reward.MODEL_OR_FUNCTIONS,
    }
    for key in (key for keys, are_idle in idle.items() if are_idle for key in keys):
        if job.is_set(key) and getattr(job, key) is not False:
            yield Problem("no-effect", f"'{key}' has no effect on '{algorithm.name}'.", "Leave it out.", key)


def _without_rewards(considered: Considered) -> Iterator[Problem]:
    job, algorithm = considered.job, considered.algorithm
    if algorithm is None:
        return
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


def _missing_keys(considered: Considered) -> Iterator[Problem]:
    job, algorithm = considered.job, considered.algorithm
    if algorithm is None:
        return
    for key in algorithm.needs:
        if not job.is_set(key):
            yield Problem("missing-key", f"'{algorithm.name}' needs '{key}'.", f"Add {key}.", key)


RULES: tuple[Callable[[Considered], Iterable[Problem]], ...] = (
    _adapters_without_effect,
    _warmup,
    _length,
    _evaluation,
    _intervals,
    _precision,
    _features,
    _without_effect,
    _without_rewards,
    _missing_keys,
)
"""What follows from the job alone; a new rule is a row."""
