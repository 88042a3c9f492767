"""What AlignTune sees of this backend before a trainer is made."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import requires
from typing import TYPE_CHECKING

from aligntune_core import Algorithm, BackendInfo, Encoding, Plan, Problem, hookimpl
from aligntune_minimal.capabilities import ALGORITHMS, CAPABILITIES
from aligntune_minimal.settings import JOB_KEYS

if TYPE_CHECKING:
    from pydantic import BaseModel

    from aligntune_core import Job, Listener, Trainer


@hookimpl
def aligntune_backend_info() -> BackendInfo:
    return BackendInfo(
        name="minimal",
        summary="A training loop in plain PyTorch, as an example",
        contract=2,
        capabilities=CAPABILITIES,
        # what pyproject.toml says, so that it is said once
        requirements=tuple(requires("aligntune-minimal") or ()),
        job_keys=JOB_KEYS,
    )


@hookimpl
def aligntune_algorithms() -> tuple[Algorithm, ...]:
    return ALGORITHMS


@hookimpl
def aligntune_settings(algorithm: str) -> type[BaseModel]:
    from aligntune_minimal.arguments import ARGUMENTS

    return ARGUMENTS[algorithm]


@hookimpl
def aligntune_check_job(job: Job) -> list[Problem]:
    from aligntune_minimal.checks import job_problems

    return list(job_problems(job))


@hookimpl
def aligntune_plan_job(job: Job, rows: int | None) -> Plan:
    from aligntune_minimal.settings import Settings

    settings = Settings.of(job)
    return Plan(
        batch={
            "batch_size": settings.batch_size,
            "gradient_accumulation_steps": settings.gradient_accumulation_steps,
        },
        settings=asdict(settings),
        steps=settings.max_steps if rows is None else settings.total_steps(rows),
        passes=settings.num_epochs if rows and not settings.max_steps else None,
        rows=rows,
        checkpoints=0,
    )


@hookimpl
def aligntune_encoding(job: Job, emit: Listener) -> Encoding:
    from aligntune_minimal.build import encoding_of

    return encoding_of(job, emit)


@hookimpl
def aligntune_create_trainer(job: Job, emit: Listener) -> Trainer:
    from aligntune_minimal.build import build_trainer

    return build_trainer(job, emit)
