"""What AlignTune sees of the Unsloth backend before a trainer is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core import BackendInfo, ImportOrder, Problem, hookimpl
from aligntune_unsloth.capabilities import CAPABILITIES, JOB_KEYS

if TYPE_CHECKING:
    from aligntune_core import Encoding, Job, Listener, Plan, Trainer


@hookimpl
def aligntune_backend_info() -> BackendInfo:
    return BackendInfo(
        name="unsloth",
        summary="Unsloth: TRL's trainers with rewritten models, for one CUDA GPU",
        contract=1,
        capabilities=CAPABILITIES,
        requirements=("unsloth>=2026.10", "trl>=1.15,<=1.15.0", "transformers>=4.56.2,<=5.17.0", "datasets>=4.7,<5"),
        import_order=(ImportOrder("unsloth", before=("trl", "transformers", "peft")),),
        constraints="constraints.txt",
        job_keys=JOB_KEYS,
    )


@hookimpl
def aligntune_check_job(job: Job) -> list[Problem]:
    from aligntune_unsloth.checks.job import job_problems

    return list(job_problems(job))


@hookimpl
def aligntune_plan_job(job: Job, rows: int | None) -> Plan | None:
    from aligntune_trl.translation.plan import plan_job

    return plan_job(job, rows)


@hookimpl
def aligntune_encoding(job: Job, emit: Listener) -> Encoding | None:
    from aligntune_trl.tokens.encoding import encoding_of

    return encoding_of(job, emit)


@hookimpl
def aligntune_diagnose() -> list[Problem]:
    from aligntune_unsloth.checks.job import environment_problems

    return list(environment_problems())


@hookimpl
def aligntune_create_trainer(job: Job, emit: Listener) -> Trainer:
    from aligntune_unsloth.trainers.make import build_trainer

    return build_trainer(job, emit)
