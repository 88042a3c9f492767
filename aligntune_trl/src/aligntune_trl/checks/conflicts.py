"""Whether settings that are each right for themselves agree with each other, told without importing TRL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core import Problem
from aligntune_core.machine.devices import cuda_device_count
from aligntune_trl.translation.arguments import config_arguments
from aligntune_trl.translation.fields import declared_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aligntune_core import Job
    from aligntune_trl.translation.recipes import Recipe

_COUNTS = (
    *("per_device_train_batch_size", "gradient_accumulation_steps", "num_generations", "generation_batch_size"),
    *("steps_per_generation", "num_iterations", "num_mini_batches"),
)


def setting_conflicts(job: Job, recipe: Recipe) -> Iterator[Problem]:
    """What the engine would refuse, or fail on, of settings that it takes one by one.

    Args:
        job: A job whose settings are each right for themselves.
        recipe: How its algorithm is trained.
    """
    if any(not isinstance(job.backend_args.get(name), int | None) for name in _COUNTS):
        # what no job file can hold is left to the engine
        return
    settings = {name: field.default for name, field in declared_fields(recipe.config).items()}
    settings.update(config_arguments(job, recipe))
    if not settings.get("per_device_train_batch_size"):
        return
    if recipe.is_grouped:
        yield from _groups(settings)
    if recipe.least_batch > 1:
        yield from _lone_examples(job, recipe, settings)
    if recipe.is_rollout:
        yield from _minibatches(settings)
    yield from _evaluations(job, settings)


def _groups(settings: Mapping[str, Any]) -> Iterator[Problem]:
    """A batch of completions is made of whole groups, and of whole batches."""
    group, batch = settings["num_generations"], settings["per_device_train_batch_size"]
    generated, steps = settings["generation_batch_size"], settings["steps_per_generation"]
    if group is None:
        key = "backend_args.num_generations"
        yield Problem("wrong-type", f"'{key}' is None, but a whole number is expected.", "", key)
        return
    for name in ("steps_per_generation", "generation_batch_size", "num_iterations"):
        value, key = settings[name], f"backend_args.{name}"
        if value is not None and value < 1:
            yield Problem("out-of-range", f"'{key}' is {value}, but must be greater than 0.", "", key)
            return
    if cuda_device_count() > 1:
        # how many of them share a batch is the launcher's to say
        return
    if generated is None:
        generated = batch * (steps or settings["gradient_accumulation_steps"] or 1)
        name = "per_device_train_batch_size"
    else:
        name = "generation_batch_size"
    key = f"backend_args.{name}"
    if generated % batch:
        message = f"'{key}' is {generated}, but completions are sampled for whole batches of {batch}."
        yield Problem("out-of-range", message, f"Use a multiple of {batch}.", key)
    elif generated % group:
        message = f"'{key}' is {settings[name]}, which is no whole number of groups of {group} completions."
        yield Problem("out-of-range", message, f"Use a multiple of {group}, or set batch_size in prompts.", key)


def _lone_examples(job: Job, recipe: Recipe, settings: Mapping[str, Any]) -> Iterator[Problem]:
    given = settings["per_device_train_batch_size"]
    if given >= recipe.least_batch or any(
        settings.get(name) == said for name, said in recipe.least_batch_unless.items()
    ):
        return
    key = "batch_size" if job.is_set("batch_size") else "backend_args.per_device_train_batch_size"
    yield Problem(
        "out-of-range",
        f"'{key}' is {given}, but {str(job.algorithm).upper()} compares the answers of a batch with each other.",
        f"Set it to {recipe.least_batch} or more; gradient_accumulation_steps does not count here.",
        key,
    )


def _minibatches(settings: Mapping[str, Any]) -> Iterator[Problem]:
    parts = settings["num_mini_batches"]
    prompts = settings["per_device_train_batch_size"] * (settings["gradient_accumulation_steps"] or 1)
    if parts > prompts:
        yield Problem(
            "ppo-setting",
            f"'backend_args.num_mini_batches' is {parts}, but a step has {prompts} prompts "
            "(batch_size * gradient_accumulation_steps).",
            f"Use at most {prompts} mini-batches, or a larger batch.",
            "backend_args.num_mini_batches",
        )


def _evaluations(job: Job, settings: Mapping[str, Any]) -> Iterator[Problem]:
    strategy = str(settings["eval_strategy"] or "no")
    key = "backend_args.eval_strategy"
    if strategy != "no" and not job.evaluates:
        message = f"'{key}' is '{strategy}', but the job names no evaluation data."
        yield Problem("contradiction", message, "Add eval_dataset_name, or leave it out.", key)
    if not settings["load_best_model_at_end"]:
        return
    key, saved = "backend_args.load_best_model_at_end", str(settings["save_strategy"] or "steps")
    if strategy == "no":
        message = f"'{key}' needs evaluations to tell which model is the best."
        yield Problem("contradiction", message, "Add eval_dataset_name, eval_steps and save_steps.", key)
    elif saved not in {strategy, "best"}:
        message = (
            f"'{key}' needs a checkpoint for each evaluation, but it saves by '{saved}' and evaluates by '{strategy}'."
        )
        yield Problem("contradiction", message, "Set save_steps and eval_steps to the same number.", key)
