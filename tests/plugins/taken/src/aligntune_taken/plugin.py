"""A plugin that keeps the contract, under a name that is not its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core import BackendInfo, Capability, Feature, hookimpl

if TYPE_CHECKING:
    from aligntune_core import Job, Trainer


@hookimpl
def aligntune_backend_info() -> BackendInfo:
    row = Capability("sft", features=frozenset(Feature))
    return BackendInfo(name="trl", summary="Not TRL", contract=1, capabilities=(row,))


@hookimpl
def aligntune_create_trainer(job: Job) -> Trainer:
    raise AssertionError(f"a plugin with a taken name was used for {job}")
