"""What a backend sends its events to: each is looked at before it is passed on, one at a time."""

from __future__ import annotations

import math
from threading import RLock
from typing import TYPE_CHECKING

from aligntune_core.errors import BackendError, RunError
from aligntune_core.events import Decided, Event, Finished, Listener, Notice, Saved, Started, Stepped
from aligntune_core.run.order import OF_TRAINING, Order
from aligntune_core.run.shape import wrong_field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REPORT_IT = "Report it to the backend's authors."
DIVERGED_FIX = "Lower learning_rate or max_grad_norm, or set precision to bf16 or fp32."
_LOSSES: dict[type[Event], str] = {Stepped: "loss", Finished: "train_loss"}


class Emitting:
    """A listener that holds a backend to the contract of events.

    What is wrong is raised where the event was sent, and again at the end of the call that it was sent in, so that an
    engine which passes over errors does not hide it. The same goes for what the user's own listener raises.

    Args:
        backend: The backend's name.
        listener: Where right events go.
        on_started: Called when a training begins.
    """

    def __init__(self, backend: str, listener: Listener, on_started: Callable[[], None] | None = None) -> None:
        self.backend = backend
        self.on_started = on_started
        self.order = Order()
        self.folder = ""
        self.stopped: BaseException | None = None
        self._listener = listener
        self._lock = RLock()
        self._is_training = self._told_late = False

    def __call__(self, event: Event) -> None:
        """Look at an event and pass it on; events of several threads are taken one after the other.

        Raises:
            BackendError: If it breaks the contract.
            RunError: If it tells of a loss that is not finite.
        """
        with self._lock:
            if self.stopped:
                raise self.stopped
            try:
                self._take(event)
            except BaseException as error:
                self.stopped = error
                raise

    def begin(self) -> None:
        """A training is called for: only its own events may come now."""
        with self._lock:
            self.order, self._is_training = Order(), True

    def end(self) -> None:
        """The training has returned."""
        with self._lock:
            self._is_training = False
            self.order.finished = True

    def surface(self) -> None:
        """Raise what was wrong with an event since it was last asked."""
        with self._lock:
            stopped, self.stopped = self.stopped, None
        if stopped:
            raise stopped

    def say(self, event: Event) -> None:
        """Send an event of the core's own."""
        with self._lock:
            self._listener(event)

    def _take(self, event: Event) -> None:
        if not isinstance(event, Event):
            raise self._breach(f"sent a {type(event).__name__}, which is no event")
        if isinstance(event, Decided):
            raise self._breach("sent Decided, which only the core sends")
        if fault := wrong_field(event):
            raise self._breach(f"sent {type(event).__name__} wrongly: {fault}")
        if not self._is_training and isinstance(event, OF_TRAINING):
            # a user may train with the engine's own trainer, which need not tell of the end
            if isinstance(event, Started):
                self.order = Order()
            elif not self.order.is_open:
                self._leave_out(event)
                return
        if fault := self.order.take(event):
            raise self._breach(fault)
        if isinstance(event, Saved):
            self.folder = event.path
        if isinstance(event, Started) and self.on_started:
            self.on_started()
        self._listener(event)
        # after the step was told, so that the last one is known
        if isinstance(event, Stepped | Finished):
            require_finite(_LOSSES[type(event)], event.metrics, self.order.step)

    def _leave_out(self, event: Event) -> None:
        if not self._told_late:
            self._told_late = True
            what = f"backend '{self.backend}' sent {type(event).__name__} outside a training: it is left out."
            self._listener(Notice(what, warning=True, code="late-event"))

    def _breach(self, fault: str) -> BackendError:
        return BackendError(f"backend '{self.backend}' {fault}.", fix=REPORT_IT)


def require_finite(name: str, metrics: Mapping[str, float], step: int) -> None:
    """Refuse a figure that is infinite or not a number; one that is not there passes.

    Args:
        name: The figure's name.
        metrics: The figures.
        step: The step that they are of.

    Raises:
        RunError: If the figure is not finite.
    """
    value = metrics.get(name, 0.0)
    if not math.isfinite(value):
        raise RunError(f"Training diverged: '{name}' is {value} at step {step}.", fix=DIVERGED_FIX)
