"""What AlignTune sees of the TRL backend before a trainer is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core import BackendInfo, Problem, hookimpl
from aligntune_trl.capabilities import CAPABILITIES, JOB_KEYS

if TYPE_CHECKING:
    from aligntune_core import Encoding, Job, Listener, Plan, Trainer


@hookimpl
def aligntune_backend_info() -> BackendInfo:
    return BackendInfo(
        name="trl",
        summary="TRL, the post-training library of Hugging Face: CPU and GPU",
        contract=1,
        capabilities=CAPABILITIES,
        requirements=(
            "torch>=2.6",
            "transformers>=4.56.2,!=5.1.0",
            "trl>=1.12,<1.17",
            "peft>=0.18",
            "datasets>=4.7",
            "accelerate>=1.4",
        ),
        job_keys=JOB_KEYS,
        constraints="constraints.txt",
    )


@hookimpl
def aligntune_check_job(job: Job) -> list[Problem]:
    from aligntune_trl.checks.job import job_problems

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
    from aligntune_trl.checks.environment import environment_problems

    return list(environment_problems())


@hookimpl
def aligntune_create_trainer(job: Job, emit: Listener) -> Trainer:
    from aligntune_trl.trainers.make import build_trainer

    return build_trainer(job, emit)
