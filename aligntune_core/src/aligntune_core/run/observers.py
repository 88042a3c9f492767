"""The observers of a run: plugins that are told of it and change nothing about it."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from aligntune_core.backends.installed import installed_entry_points
from aligntune_core.events import Event, Listener, Notice
from aligntune_core.groups import OBSERVER_GROUP, PROJECT
from aligntune_core.wording import described

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pluggy

    from aligntune_core.backends.installed import EntryPoint
    from aligntune_core.job import Job
    from aligntune_core.trainer import Trainer


class Observers:
    """A listener that passes a run's events on, and tells every observer of them besides.

    Observers are imported when the trainer is there, so that none imports an engine before the backend does; what was
    sent before is told then. One that fails, also by ending the process, is told of once and left out from then on.

    Args:
        job: The job.
        listener: Where events go.
        points: The observers' entry points; those installed in this environment if None.
    """

    def __init__(self, job: Job, listener: Listener, points: Iterable[EntryPoint] | None = None) -> None:
        self._job = job
        self._listener = listener
        self._points = list(installed_entry_points(OBSERVER_GROUP) if points is None else points)
        self._before: list[Event] = []
        self._observers: dict[str, pluggy.PluginManager] | None = None

    def __call__(self, event: Event) -> None:
        """Pass an event on, and tell the observers of it."""
        self._listener(event)
        if self._observers is not None:
            self._tell("aligntune_run_event", event)
        elif self._points:
            self._before.append(event)

    def begin(self, trainer: Trainer) -> None:
        """Import the observers, and tell them what there was and that the trainer is made.

        Args:
            trainer: The trainer.
        """
        self._observers = {}
        for point in self._points:
            name = _unlike(point.name, self._observers)
            try:
                self._observers[name] = self._imported(name, point)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                self._fails(name, "can't be imported", error)
        for event in self._before:
            self._tell("aligntune_run_event", event)
        self._before = []
        self._tell("aligntune_trainer_created", trainer=trainer)

    def _imported(self, name: str, point: EntryPoint) -> pluggy.PluginManager:
        # each is alone with its hooks, so that one that fails keeps none from being told
        import pluggy

        from aligntune_core import hookspecs
        from aligntune_core.backends.notes import unknown_hooks

        plugin = point.load()
        manager = pluggy.PluginManager(PROJECT)
        manager.add_hookspecs(hookspecs)
        manager.register(plugin, name)
        for note in unknown_hooks(manager, plugin):
            self._listener(Notice(f"observer '{name}': {note.message}. {note.fix}", warning=True))
        return manager

    def _tell(self, hook: str, event: Event | None = None, **arguments: Any) -> None:
        for name, manager in list((self._observers or {}).items()):
            try:
                # what an observer does to its copy is its own
                told = arguments if event is None else {"event": deepcopy(event)}
                getattr(manager.hook, hook)(job=self._job, **told)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                if self._observers:
                    del self._observers[name]
                what = "the trainer" if event is None else type(event).__name__
                self._fails(name, f"failed to observe {what}", error)

    def _fails(self, name: str, what: str, error: BaseException) -> None:
        message = f"observer '{name}' {what} and is told no more of this run: {described(error)}"
        self._listener(Notice(message, warning=True))


def _unlike(name: str, others: Iterable[str]) -> str:
    taken, number, wanted = set(others), 1, name
    while name in taken:
        number += 1
        name = f"{wanted} ({number})"
    return name
