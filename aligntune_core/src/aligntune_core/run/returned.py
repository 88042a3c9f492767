"""Whether a backend's trainer returns what the contract says: a result, figures, a folder with a model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from aligntune_core.errors import BackendError, RunError
from aligntune_core.kit.figures import require_finite
from aligntune_core.run.emitting import REPORT_IT
from aligntune_core.run.written import can_be_looked_for, holds_more_than_checkpoints, is_there
from aligntune_core.shape import wrong_entry, wrong_field
from aligntune_core.trainer import TrainResult
from aligntune_core.wording import shown

if TYPE_CHECKING:
    from aligntune_core.run.order import Order

_NO_STEP = "no step was taken: the dataset's rows don't fill one batch, or the run was stopped before the first."


def checked_result(backend: str, returned: object, order: Order) -> TrainResult:
    """What ``train()`` returned, if it is the result of a run that took steps.

    Args:
        backend: The backend's name.
        returned: What was returned.
        order: What the events told of the training.

    Raises:
        BackendError: If it is no result, or says something else than the events.
        RunError: If no step was taken, or the loss is not finite.
    """
    if not isinstance(returned, TrainResult):
        raise _breach(backend, f"returned a {type(returned).__name__} from train(), not a TrainResult")
    if fault := wrong_field(returned):
        raise _breach(backend, f"returned a TrainResult from train() in which {fault.removeprefix('its ')}")
    require_a_step(returned.steps, order)
    if returned.steps < order.step or (order.finished and returned.steps != order.step):
        raise _breach(backend, f"returned steps={returned.steps} from train(), and its events told of {order.step}")
    if order.total and returned.steps > max(order.total, order.first):
        raise _breach(backend, f"returned steps={returned.steps} from train(), in a training of {order.total} steps")
    if returned.train_loss is not None:
        require_finite("train_loss", returned.train_loss, returned.steps)
    return returned


def require_a_step(steps: int, order: Order) -> None:
    """Refuse a training that did nothing, unless there was nothing left to do.

    Args:
        steps: The step that it ended at.
        order: What the events told of it.

    Raises:
        RunError: If no step was taken.
    """
    if steps <= order.first and not order.has_nothing_left:
        raise RunError(_NO_STEP, fix="Add rows, or lower batch_size.")


def checked_figures(backend: str, returned: object) -> dict[str, float]:
    """What ``evaluate()`` returned, if it is figures by name.

    Args:
        backend: The backend's name.
        returned: What was returned.

    Raises:
        BackendError: If it is not.
    """
    if fault := wrong_entry("figures", returned):
        raise _breach(backend, f"returned something wrong from evaluate(): {fault}")
    return dict(returned)  # type: ignore[call-overload,no-any-return]


def checked_folder(backend: str, returned: object) -> Path:
    """What ``save()`` returned, if something is there.

    Args:
        backend: The backend's name.
        returned: What was returned.

    Raises:
        BackendError: If it is no path.
        RunError: If there is nothing, or nothing but checkpoints.
    """
    if not isinstance(returned, str | os.PathLike) or not str(returned):
        raise _breach(backend, f"returned {shown(returned)} from save(), not the path of what it saved")
    folder = Path(returned)
    if can_be_looked_for(str(returned)) and not holds_more_than_checkpoints(folder):
        there = "holds no model" if is_there(str(folder)) else "does not exist"
        raise RunError(
            f"the model was not saved: backend '{backend}' names '{folder}', which {there}.",
            fix=f"{REPORT_IT} A checkpoint of the run, if it wrote one, holds the weights.",
        )
    return folder


def _breach(backend: str, fault: str) -> BackendError:
    return BackendError(f"backend '{backend}' {fault}.", fix=REPORT_IT)
