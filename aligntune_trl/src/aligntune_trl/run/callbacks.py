"""The callbacks of a run, all of them, in the order in which the engine calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transformers.trainer_callback import PrinterCallback

from aligntune_core.kit.callbacks import as_callback
from aligntune_core.kit.event_callback import EventCallback
from aligntune_core.kit.resuming import JobInCheckpoints, NothingLeft
from aligntune_trl.run.boundaries import BoundaryCheckpoints, generation_period
from aligntune_trl.run.effect import Effect
from aligntune_trl.run.finite import guards

if TYPE_CHECKING:
    from aligntune_core import Job, Listener
    from aligntune_trl.translation.recipes import Recipe


def add_callbacks(native: Any, job: Job, recipe: Recipe, emit: Listener) -> Effect:
    """Give a trainer AlignTune's callbacks, behind the engine's own and in place of its printer.

    The order matters: whether a step is saved is settled before anybody is told of it; a step is told before a guard
    may stop the run at it, so that the last one is known; the guards look before a checkpoint is signed; what only
    counts comes last.

    Args:
        native: The trainer.
        job: The job.
        recipe: How its algorithm is trained.
        emit: Where events go.

    Returns:
        The one that knows in the end what the run did.
    """
    effect = Effect(native, samples=recipe.samples)
    period = generation_period(native.args, recipe)
    native.remove_callback(PrinterCallback)
    for callback in (
        *([BoundaryCheckpoints(period)] if period > 1 else []),
        as_callback(EventCallback(emit)),
        *guards(native, keep_filter="logging_nan_inf_filter" in job.backend_args),
        as_callback(JobInCheckpoints(job)),
        as_callback(NothingLeft()),
        effect,
    ):
        native.add_callback(callback)
    return effect
