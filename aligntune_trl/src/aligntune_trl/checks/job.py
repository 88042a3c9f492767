"""The problems of a job that only this backend can know, found without importing TRL."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from aligntune_core import CheckpointError, Problem, Severity
from aligntune_core.kit.checkpoints.choose import resume_from, step_of
from aligntune_core.wording import did_you_mean, shown
from aligntune_trl.checks.argument_values import same_keys, same_lora_keys, value_problems
from aligntune_trl.checks.conflicts import setting_conflicts
from aligntune_trl.checks.environment import environment_problems, version_problems
from aligntune_trl.checks.model_files import model_problems
from aligntune_trl.checks.reward_model import reward_model_problems
from aligntune_trl.checks.trackers import tracker_problems
from aligntune_trl.translation.arguments import LORA_ARGS, LORA_KEYS, taken_names
from aligntune_trl.translation.fields import config_fields, declared_fields
from aligntune_trl.translation.recipes import RECIPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core import Job
    from aligntune_trl.translation.recipes import Recipe

SPECIAL_KEYS = ("num_generations", "max_completion_length", "temperature", "max_seq_length", "packing", "beta")
_OURS = frozenset({"output_dir", "disable_tqdm", "resume_from_checkpoint", "do_train", "do_eval", "do_predict"})


def job_problems(job: Job) -> Iterator[Problem]:
    """Every problem that this backend finds in a job."""
    # a process of its own is not this one
    yield from version_problems() if job.isolation else environment_problems()
    yield from setting_problems(job)


def setting_problems(job: Job) -> Iterator[Problem]:
    """The problems of what a job says, for any engine that trains by TRL's trainers."""
    for key in ("model_name", "reward_model_name"):
        if job.is_set(key):
            yield from model_problems(key, getattr(job, key))
    if job.report_to:
        yield from tracker_problems("report_to", job.report_to)
    recipe = RECIPES.get(job.algorithm or "")
    if recipe and recipe.takes_reward_model and job.reward_model_name:
        yield from reward_model_problems(job.reward_model_name)
    if recipe:
        found = list(_argument_problems(job, recipe))
        yield from found or setting_conflicts(job, recipe)
        if (job.packing or job.backend_args.get("packing") is True) and job.backend_args.get("max_length", 0) is None:
            yield Problem("contradiction", "'packing' needs a length to pack to.", "Set max_seq_length.", "packing")
        for key in SPECIAL_KEYS:
            # in the core's words, so that what it has said already is not said twice
            if job.is_set(key) and getattr(job, key) is not False and key not in recipe.keys:
                yield Problem("no-effect", f"'{key}' has no effect on '{job.algorithm}'.", "Leave it out.", key)
    try:
        checkpoint, notes = resume_from(job)
    except CheckpointError as error:
        yield Problem("checkpoint", error.message, error.fix, "resume")
    else:
        for note in notes:
            yield Problem(
                "checkpoint-broken", f"a newer checkpoint is passed over: {note}.", "", "resume", Severity.WARNING
            )
        step = step_of(checkpoint) if checkpoint else 0
        if job.max_steps and step >= job.max_steps:
            message = (
                f"nothing is left to train: '{checkpoint}' is at step {step}, and the job ends at {job.max_steps}."
            )
            yield Problem("nothing-left", message, "Raise max_steps, or leave resume out.", "resume", Severity.WARNING)


def _argument_problems(job: Job, recipe: Recipe) -> Iterator[Problem]:
    if not job.backend_args:
        return
    fields = config_fields(recipe.config)
    known = fields.union(recipe.own_args) if fields else fields
    declared = declared_fields(recipe.config) if known else {}
    taken = taken_names(job, recipe)
    for name, value in job.backend_args.items():
        key = f"backend_args.{name}"
        if name == LORA_ARGS:
            yield from _lora_problems(job, value)
        elif name in _OURS:
            yield Problem("not-settable", f"'{key}' is decided by AlignTune.", "Leave it out.", key)
        elif known and name not in known:
            release = "" if recipe.is_own else f" of trl {version('trl')}"
            message = f"{recipe.config}{release} has no '{name}'."
            fix = did_you_mean(name, known)
            yield Problem("unknown-key", message, "" if fix.startswith("Known") else fix, key)
        elif name in taken:
            message = f"'{key}' and '{taken[name]}' set the same thing."
            yield Problem("contradiction", message, "Keep one.", key)
        elif name in recipe.own_args:
            yield from _own_problems(key, value, recipe.own_args[name])
        elif name in declared:
            found = list(value_problems(key, name, value, declared[name], same_keys(recipe)))
            yield from found
            if name == "report_to" and isinstance(value, str | list) and value and not found:
                yield from tracker_problems(key, [value] if isinstance(value, str) else value)


def _own_problems(key: str, value: object, default: object) -> Iterator[Problem]:
    if type(value) is not type(default) or (type(value) is int and value < 1):
        expected = "true or false" if isinstance(default, bool) else "a whole number of at least 1"
        yield Problem("wrong-type", f"'{key}' is {shown(value)}, but {expected} is expected.", "", key)


def _lora_problems(job: Job, value: object) -> Iterator[Problem]:
    key = f"backend_args.{LORA_ARGS}"
    if not isinstance(value, dict):
        message = f"'{key}' is {shown(value)}, but the settings of peft's LoraConfig are expected."
        yield Problem("wrong-type", message, "", key)
        return
    if not job.use_peft:
        yield Problem("no-effect", f"'{key}' has no effect without adapters.", "Add use_peft: true.", key)
    known = config_fields("LoraConfig")
    declared = declared_fields("LoraConfig") if known else {}
    taken = {name: key for key, name in LORA_KEYS.items() if job.is_set(key)}
    for name, setting in value.items():
        if known and name not in known:
            fix = did_you_mean(name, known) if isinstance(name, str) else ""
            yield Problem(
                "unknown-key",
                f"peft's LoraConfig has no {shown(name)}.",
                "" if fix.startswith("Known") else fix,
                f"{key}.{name if isinstance(name, str) else shown(name)}",
            )
        elif name in taken:
            message = f"'{key}.{name}' and '{taken[name]}' set the same thing."
            yield Problem("contradiction", message, "Keep one.", f"{key}.{name}")
        elif name in declared:
            yield from value_problems(f"{key}.{name}", name, setting, declared[name], same_lora_keys())
