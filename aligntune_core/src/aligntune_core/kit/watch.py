"""Warnings about a run that goes on without learning anything good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aligntune_core.events import Notice

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aligntune_core.events import Listener
    from aligntune_core.kit.watchers import Watcher

_AGAIN = 10
"""A warning is repeated where its sign has lasted this many times as long."""


@dataclass(slots=True)
class _Sight:
    """How long a watcher has seen its sign.

    Args:
        due: Steps after which it is said.
        since: The step of the log before them.
        logs: Logs in a row that show it.
        value: The newest value.
    """

    due: int
    since: int = 0
    logs: int = 0
    value: float | None = None


class Watch:
    """Looks at what is logged and says what watchers see.

    Args:
        watchers: What looks.
        emit: Where warnings go.
    """

    def __init__(self, watchers: Iterable[Watcher], emit: Listener) -> None:
        self._watchers = tuple(watchers)
        self._emit = emit
        self.begin(0)

    def begin(self, step: int) -> None:
        """A training begins.

        Args:
            step: The steps that were taken before it.
        """
        self._sights = [_Sight(due=watcher.steps) for watcher in self._watchers]
        self._last = step
        self._is_first = step == 0

    def look(self, step: int, metrics: Mapping[str, float]) -> None:
        """Look at one log; one without a training loss is left alone.

        Args:
            step: The step that it was written at.
            metrics: What was logged, plain numbers.
        """
        if "loss" not in metrics:
            return
        lasting = set()
        for watcher, sight in zip(self._watchers, self._sights, strict=True):
            if watcher.at_once and not self._is_first:
                continue
            is_told = self._look(watcher, sight, metrics)
            if sight.logs:
                lasting.add(watcher.name)
            steps = step - sight.since
            is_due = is_told and sight.logs >= watcher.logs and steps >= sight.due
            if is_due and lasting.isdisjoint(watcher.within):
                sight.due = _AGAIN * steps
                said = watcher.message.format(steps=steps, value=sight.value, step=step)
                self._emit(Notice(f"step {step}: {said} {watcher.fix}", warning=True))
        self._last, self._is_first = step, False

    def _look(self, watcher: Watcher, sight: _Sight, metrics: Mapping[str, float]) -> bool:
        """Whether the log tells of a watcher's sign at all; how long it has lasted is noted."""
        value = metrics.get(watcher.metric)
        divisor = metrics.get(watcher.per) if watcher.per else 1.0
        if value is None or not divisor:
            return False  # where several steps learn from one batch of completions, not every log does
        value /= divisor
        is_sign = watcher.least <= value <= watcher.most
        if is_sign and (not sight.logs or (watcher.same and value != sight.value)):
            sight.logs, sight.since = 0, self._last
        sight.logs = sight.logs + 1 if is_sign else 0
        sight.value = value
        return True
