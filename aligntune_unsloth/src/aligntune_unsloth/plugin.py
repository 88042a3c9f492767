"""What AlignTune sees of the Unsloth backend before a trainer is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core import BackendError, BackendInfo, ImportOrder, Problem, hookimpl
from aligntune_unsloth.capabilities import CAPABILITIES

if TYPE_CHECKING:
    from aligntune_core import Job, Trainer


@hookimpl
def aligntune_backend_info() -> BackendInfo:
    return BackendInfo(
        name="unsloth",
        summary="Unsloth: TRL's trainers with rewritten models, for one CUDA GPU",
        contract=1,
        capabilities=CAPABILITIES,
        requirements=("unsloth>=2026.10", "trl>=1.12,<=1.15.0", "transformers>=4.56.2,<=5.17.0", "datasets>=4.7,<5"),
        import_order=(ImportOrder("unsloth", before=("trl", "transformers", "peft")),),
        constraints="constraints.txt",
    )


@hookimpl
def aligntune_check_job(job: Job) -> list[Problem]:
    return [_no_trainers(f"Use backend='trl' for '{job.algorithm}'.")]


@hookimpl
def aligntune_diagnose() -> list[Problem]:
    return [_no_trainers("Use backend='trl'.")]


@hookimpl
def aligntune_create_trainer(job: Job) -> Trainer:
    raise BackendError(f"backend 'unsloth' has no trainer for '{job.algorithm}' yet.", fix="Use backend='trl'.")


def _no_trainers(fix: str) -> Problem:
    message = "this version of the backend 'unsloth' declares what it will support and has no trainers yet."
    return Problem("not-implemented", message, fix, "backend")
