"""Warnings about a run that goes on without learning anything good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from aligntune_core import Notice
from aligntune_trl.run.events import numbers
from aligntune_trl.run.watchers import watchers_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import TrainerControl, TrainerState, TrainingArguments

    from aligntune_core import Listener
    from aligntune_trl.run.watchers import Watcher

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


class Watch(TrainerCallback):  # type: ignore[misc]
    """Looks at what is logged, which is on the host already, and says what the algorithm's watchers see.

    Args:
        algorithm: Whose watchers look.
        emit: Where warnings go.
    """

    def __init__(self, algorithm: str | None, emit: Listener) -> None:
        self._watchers = watchers_of(algorithm)
        self._emit = emit
        self._begin(0)

    def _begin(self, step: int) -> None:
        self._sights = [_Sight(due=watcher.steps) for watcher in self._watchers]
        self._last = step
        self._is_first = step == 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._begin(state.global_step)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if not logs or "loss" not in logs:
            return
        metrics, lasting = numbers(logs), set()
        for watcher, sight in zip(self._watchers, self._sights, strict=True):
            if watcher.at_once and not self._is_first:
                continue
            is_told = self._look(watcher, sight, metrics)
            if sight.logs:
                lasting.add(watcher.name)
            steps = state.global_step - sight.since
            is_due = is_told and sight.logs >= watcher.logs and steps >= sight.due
            if is_due and lasting.isdisjoint(watcher.within):
                sight.due = _AGAIN * steps
                said = watcher.message.format(steps=steps, value=sight.value, step=state.global_step)
                self._emit(Notice(f"step {state.global_step}: {said} {watcher.fix}", warning=True))
        self._last, self._is_first = state.global_step, False

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
