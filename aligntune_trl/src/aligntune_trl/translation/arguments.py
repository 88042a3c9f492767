"""From a job to the arguments of TRL's configuration classes and of peft's LoRA: plain values, no engine needed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aligntune_core import Job
    from aligntune_trl.translation.recipes import Recipe

COMMON_KEYS = {
    "num_epochs": "num_train_epochs",
    "max_steps": "max_steps",
    "batch_size": "per_device_train_batch_size",
    "gradient_accumulation_steps": "gradient_accumulation_steps",
    "learning_rate": "learning_rate",
    "lr_scheduler": "lr_scheduler_type",
    "warmup_steps": "warmup_steps",
    "weight_decay": "weight_decay",
    "max_grad_norm": "max_grad_norm",
    "seed": "seed",
    "gradient_checkpointing": "gradient_checkpointing",
    "logging_steps": "logging_steps",
    "save_total_limit": "save_total_limit",
    "trust_remote_code": "trust_remote_code",
}
LORA_KEYS = {
    "lora_r": "r",
    "lora_alpha": "lora_alpha",
    "lora_dropout": "lora_dropout",
    "lora_target_modules": "target_modules",
}
LORA_ARGS = "lora"
"""The key of ``backend_args`` whose mapping goes to peft's LoraConfig."""


def config_arguments(job: Job, recipe: Recipe) -> dict[str, Any]:
    """The arguments of the recipe's configuration class.

    Args:
        job: The job.
        recipe: How its algorithm is trained.

    Returns:
        The arguments by the engine's names: what defines the algorithm, what AlignTune decides for every run (no
        tracker unless asked for, no progress bar of the engine's), then the keys the user set, then the user's own
        ``backend_args``. What a user left alone and AlignTune doesn't decide isn't there.
    """
    arguments: dict[str, Any] = {
        **recipe.settings,
        "output_dir": job.output_dir,
        "report_to": job.report_to or "none",
        "disable_tqdm": True,
    }
    for key, name in {**COMMON_KEYS, **recipe.keys}.items():
        if job.is_set(key):
            arguments[name] = getattr(job, key)
    if recipe.is_own:
        # transformers' own training arguments have no such field; whoever loads a model asks the job
        arguments.pop("trust_remote_code", None)
    if job.is_set("batch_size"):
        # an evaluation that took more examples at once than training would run out of memory first
        arguments["per_device_eval_batch_size"] = job.batch_size
    if job.warmup_ratio is not None:
        arguments.update(_warmup(job.warmup_ratio))
    if job.save_steps:
        arguments.update(save_strategy="steps", save_steps=job.save_steps)
    if job.eval_steps:
        arguments.update(eval_strategy="steps", eval_steps=job.eval_steps)
    if job.precision:
        arguments.update(bf16=job.precision == "bf16", fp16=job.precision == "fp16")
    if recipe.is_grouped:
        arguments.update(_group_arguments(job, recipe))
    arguments.update(
        {name: value for name, value in job.backend_args.items() if name != LORA_ARGS and name not in recipe.own_args}
    )
    if "generation_batch_size" in arguments:
        arguments.pop("steps_per_generation", None)
    return arguments


def own_arguments(job: Job, recipe: Recipe) -> dict[str, Any]:
    """The keys of ``backend_args`` that AlignTune itself reads for this algorithm, with their values."""
    return {name: job.backend_args.get(name, default) for name, default in recipe.own_args.items()}


def length_key(job: Job) -> str:
    """The key that the job bounds the length of its rows with; empty where that is left to the engine."""
    if job.is_set("max_seq_length"):
        return "max_seq_length"
    return "backend_args.max_length" if "max_length" in job.backend_args else ""


def may_lack_rewards(job: Job) -> bool:
    """Whether the job lets a reward function give no reward."""
    return bool(job.backend_args.get("allow_missing_rewards", False))


def _group_arguments(job: Job, recipe: Recipe) -> dict[str, Any]:
    """TRL counts completions where a job counts prompts, and generates for several steps at once."""
    group = job.num_generations or job.backend_args.get("num_generations") or recipe.settings["num_generations"]
    completions = (job.batch_size or 1) * group
    return {
        "per_device_train_batch_size": completions,
        "per_device_eval_batch_size": completions,
        "steps_per_generation": recipe.minibatches * (job.gradient_accumulation_steps or 1),
    }


def lora_arguments(job: Job, recipe: Recipe) -> dict[str, Any]:
    """The arguments of peft's LoraConfig.

    Args:
        job: The job.
        recipe: How its algorithm is trained.
    """
    arguments: dict[str, Any] = {"task_type": recipe.task_type}
    if recipe.new_layers:
        arguments["modules_to_save"] = list(recipe.new_layers)
    arguments.update({name: getattr(job, key) for key, name in LORA_KEYS.items() if job.is_set(key)})
    if arguments.get("target_modules") == ["all-linear"]:
        # peft knows this word only as a text, and looks for a layer of that name where it stands in a list
        arguments["target_modules"] = "all-linear"
    arguments.update(job.backend_args.get(LORA_ARGS, {}))
    return arguments


def taken_names(job: Job, recipe: Recipe) -> dict[str, str]:
    """The engine's names that the job's own keys already set, with those keys."""
    names = {name: key for key, name in {**COMMON_KEYS, **recipe.keys}.items() if job.is_set(key)}
    special = {
        "warmup_ratio": ("warmup_steps", "warmup_ratio"),
        "save_steps": ("save_strategy", "save_steps"),
        "eval_steps": ("eval_strategy", "eval_steps"),
        "precision": ("bf16", "fp16"),
        "report_to": ("report_to",),
    }
    names.update({name: key for key, taken in special.items() if job.is_set(key) for name in taken})
    return names


def _warmup(ratio: float) -> dict[str, float]:
    from packaging.version import Version

    # transformers 5 reads a warmup_steps below 1 as a share and has no warmup_ratio
    try:
        is_old = Version(version("transformers")).major < 5
    except PackageNotFoundError:
        is_old = False
    return {"warmup_ratio" if is_old else "warmup_steps": ratio}
