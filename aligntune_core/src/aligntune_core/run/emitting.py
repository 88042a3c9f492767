"""What a backend sends its events to: each is looked at before it is passed on, one at a time."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING

from aligntune_core.errors import BackendError
from aligntune_core.events import CheckpointSaved, Decided, Event, Finished, Listener, Notice, Saved, Started, Stepped
from aligntune_core.kit.figures import require_finite
from aligntune_core.kit.watch import Watch
from aligntune_core.kit.watchers import watchers_of
from aligntune_core.run.order import OF_TRAINING, Order
from aligntune_core.run.written import can_be_looked_for, is_there
from aligntune_core.shape import wrong_field

if TYPE_CHECKING:
    from collections.abc import Callable

REPORT_IT = "Report it to the backend's authors."


class Emitting:
    """A listener that holds a backend to the contract of events.

    What is wrong is raised where the event was sent, and again at the end of the call that it was sent in, so that an
    engine which passes over errors does not hide it. The same goes for what the user's own listener raises.

    Args:
        backend: The backend's name.
        listener: Where right events go.
        algorithm: Whose signs of trouble are looked out for.
    """

    def __init__(self, backend: str, listener: Listener, algorithm: str | None = None) -> None:
        self.backend = backend
        self.before: dict[type[Event], Callable[[], None]] = {}
        """What is to be done before an event of a type is told."""
        self.notices: set[str] = set()
        """The codes of what was said in this training."""
        self.order = Order()
        self.folder = ""
        self.stopped: BaseException | None = None
        self._listener = listener
        self._watch = Watch(watchers_of(algorithm), listener)
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
            self.notices.clear()

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
        elif isinstance(event, Notice):
            self.notices.add(event.code)
        elif isinstance(event, Finished):
            require_finite("train_loss", event.metrics.get("train_loss", 0.0), event.steps)
        elif isinstance(event, Started):
            self._watch.begin(event.first_step)
        if type(event) in self.before:
            self.before[type(event)]()
        self._listener(event)
        # after the step was told, so that the last one is known
        if isinstance(event, Stepped):
            require_finite("loss", event.metrics.get("loss", 0.0), event.step)
            self._watch.look(event.step, event.metrics)
        elif isinstance(event, CheckpointSaved) and can_be_looked_for(event.path) and not is_there(event.path):
            what = f"backend '{self.backend}' told of a checkpoint at '{event.path}', where there is nothing."
            self._listener(Notice(what, warning=True, code="missing-checkpoint"))

    def _leave_out(self, event: Event) -> None:
        if not self._told_late:
            self._told_late = True
            what = f"backend '{self.backend}' sent {type(event).__name__} outside a training: it is left out."
            self._listener(Notice(what, warning=True, code="late-event"))

    def _breach(self, fault: str) -> BackendError:
        return BackendError(f"backend '{self.backend}' {fault}.", fix=REPORT_IT)
