"""What this backend refuses of a job: every key that would otherwise have no effect, and values it can't follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core import Problem
from aligntune_core.suggest import did_you_mean
from aligntune_minimal.settings import JOB_KEYS, OWN_ARGS, PRECISIONS, SCHEDULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core import Job

READ_ELSEWHERE = frozenset(
    {
        # by the core
        *("algorithm", "backend", "dataset_name", "dataset_split", "eval_dataset_name", "eval_dataset_split"),
        *("column_mapping", "max_samples"),
        # by build.py and trainer.py
        *("model_name", "trust_remote_code", "output_dir", "backend_args"),
    }
)
REFUSED_BY_THE_CORE = frozenset(
    {
        # because no capability row here has the feature
        *("packing", "gradient_checkpointing", "resume", "use_peft", "load_in_4bit"),
        # because they mean nothing without adapters or to an algorithm that samples no completions
        *("lora_r", "lora_alpha", "lora_dropout", "lora_target_modules"),
        *("num_generations", "max_completion_length", "temperature", "reward_functions", "reward_model_name"),
    }
)


def job_problems(job: Job) -> Iterator[Problem]:
    """Every problem that this backend finds in a job."""
    # a list of what is understood and not of what isn't: a key that the core gets one day is refused here too
    for key, value in job.settings().items():
        if value is not False and key not in JOB_KEYS | READ_ELSEWHERE | REFUSED_BY_THE_CORE:
            yield Problem("no-effect", f"'{key}' has no effect on the backend 'minimal'.", "Leave it out.", key)
    for key, known in (("lr_scheduler", SCHEDULES), ("precision", PRECISIONS)):
        value = getattr(job, key)
        if value is not None and value not in known:
            message = f"the backend 'minimal' has no {key} '{value}'."
            yield Problem("unsupported-value", message, f"Use one of {', '.join(known)}.", key)
    yield from _argument_problems(job)


def _argument_problems(job: Job) -> Iterator[Problem]:
    for name, value in job.backend_args.items():
        key = f"backend_args.{name}"
        if name not in OWN_ARGS:
            yield Problem("unknown-key", f"the backend 'minimal' has no '{name}'.", did_you_mean(name, OWN_ARGS), key)
        elif name == "adam_betas" and not _is_pair_of_shares(value):
            yield Problem("wrong-value", f"'{key}' is {value!r}.", "Give two numbers from 0 to below 1.", key)
        elif name == "unlikelihood_weight" and not (_is_number(value) and 0 <= value < float("inf")):
            yield Problem("wrong-value", f"'{key}' is {value!r}.", "Give a number, 0 or more.", key)
        elif name == "unlikelihood_weight" and job.algorithm != "unlikelihood":
            yield Problem("no-effect", f"'{key}' has no effect on '{job.algorithm}'.", "Leave it out.", key)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_pair_of_shares(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(_is_number(x) and 0 <= x < 1 for x in value)
