"""From a mapping of keys to a job, with every problem found on the way and not only the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from aligntune_core.job import Job
from aligntune_core.jobs.values import value_problem
from aligntune_core.problem import Problem
from aligntune_core.wording import did_you_mean, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pydantic_core import ErrorDetails

SYNONYMS = {
    "model": "model_name",
    "base_model": "model_name",
    "model_name_or_path": "model_name",
    "dataset": "dataset_name",
    "datasets": "dataset_name",
    "data": "dataset_name",
    "algo": "algorithm",
    "engine": "backend",
    "lr": "learning_rate",
    "epochs": "num_epochs",
    "num_train_epochs": "num_epochs",
    "per_device_train_batch_size": "batch_size",
    "micro_batch_size": "batch_size",
    "grad_accum": "gradient_accumulation_steps",
    "max_length": "max_seq_length",
    "cutoff_len": "max_seq_length",
    "sequence_len": "max_seq_length",
    "lr_scheduler_type": "lr_scheduler",
    "bf16": "precision",
    "fp16": "precision",
    "peft": "use_peft",
    "use_lora": "use_peft",
    "lora": "use_peft",
    "r": "lora_r",
    "lora_rank": "lora_r",
    "rank": "lora_r",
    "lora_target": "lora_target_modules",
    "target_modules": "lora_target_modules",
    "qlora": "load_in_4bit",
    "reward_funcs": "reward_functions",
    "reward_model": "reward_model_name",
    "resume_from_checkpoint": "resume",
    "eval_dataset": "eval_dataset_name",
    "split": "dataset_split",
    "group_size": "num_generations",
    "max_new_tokens": "max_completion_length",
}
"""What other tools call our keys: offered as the suggestion, never taken silently."""


def read_job(values: Mapping[str, Any], further: Collection[str] = ()) -> tuple[Job, list[Problem]]:
    """The job that ``values`` describe, and the problems found in reading it.

    Args:
        values: Job keys with their values; None means left alone.
        further: The names of further keys, which plugins bring and check.

    Returns:
        The job, made of the keys that could be read so that further checks can speak of them: where there are
        problems it is a draft, in which even a required key may be None. And the problems.
    """
    named = {_name(key): value for key, value in values.items() if value is not None}
    given = {key: value for key, value in named.items() if key in Job.model_fields}
    more = {key: value for key, value in named.items() if key in further and key not in given}
    unknown = [unknown_key(key, further) for key in named if key not in given and key not in more]
    try:
        return Job.model_validate(given).with_further(more), sorted(unknown, key=_by_key)
    except ValidationError as error:
        found = {str(details["loc"][0]): details for details in reversed(error.errors(include_url=False))}
    problems = sorted([*unknown, *(_problem(key, details, given) for key, details in found.items())], key=_by_key)
    readable = {key: value for key, value in given.items() if key not in found}
    absent = [key for key, field in Job.model_fields.items() if field.is_required() and key not in readable]
    draft = Job.model_validate({**readable, **dict.fromkeys(absent, "?")})
    return draft.model_copy(update=dict.fromkeys(absent)).with_further(more), problems


def _name(key: object) -> str:
    return str(key) if isinstance(key, str) else shown(key)


def _by_key(problem: Problem) -> str:
    return problem.key


def _missing(key: str) -> Problem:
    meaning = (Job.model_fields[key].description or "").partition(" (")[0]
    return Problem("missing-key", f"the job has no '{key}'.", f"Add {key}, {meaning[:1].lower()}{meaning[1:]}.", key)


def _problem(key: str, details: ErrorDetails, given: Mapping[str, Any]) -> Problem:
    kind = details["type"]
    if kind == "missing":
        return _missing(key)
    says_why = kind == "value_error" and key not in _SEVERAL_KINDS
    return value_problem(key, given.get(key), details, "" if says_why else _COMPOSED.get(key, ""))


_SEVERAL_KINDS = {
    "resume": "true, false or the path of a checkpoint",
    "reward_functions": "names of functions, functions, or a mapping from names to weights",
}
_COMPOSED = {
    **_SEVERAL_KINDS,
    "column_mapping": "a mapping from text to text",
    "lora_target_modules": "text or a list of texts",
    "report_to": "text or a list of texts",
    "backend_args": "a mapping whose keys are text",
    "data_limits": "a mapping such as {row: 64MiB}",
}
"""What is expected of keys whose values have parts."""


def unknown_key(key: str, further: Collection[str] = ()) -> Problem:
    """The problem of a key that no job has.

    Args:
        key: The key.
        further: The names of keys that plugins bring.
    """
    known = {*Job.model_fields, *further}
    synonym = SYNONYMS.get(key.lower().replace("-", "_"))
    if synonym:
        fix = f"Did you mean '{synonym}'?"
    else:
        fix = did_you_mean(key, known)
        if fix.startswith("Known:"):
            fix = "`aligntune schema` lists the keys; what only the engine knows goes into backend_args."
    return Problem("unknown-key", f"a job has no key {shown(key)}.", fix, key)
