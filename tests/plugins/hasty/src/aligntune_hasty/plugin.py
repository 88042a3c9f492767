"""A plugin that keeps the contract but for its first import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from aligntune_core import BackendInfo, Capability, Feature, hookimpl

if TYPE_CHECKING:
    from aligntune_core import Job, Trainer


@hookimpl
def aligntune_backend_info() -> BackendInfo:
    summary = f"On torch {torch.__version__}"
    row = Capability("sft", features=frozenset({Feature.FULL, Feature.CPU, Feature.CUDA}))
    return BackendInfo(name="hasty", summary=summary, contract=1, capabilities=(row,))


@hookimpl
def aligntune_create_trainer(job: Job) -> Trainer:
    raise NotImplementedError
