"""What a process does for another: makes the trainer of a job, and drives it."""

from __future__ import annotations

import sys
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import BackendError
from aligntune_core.run.process.functions import CALLBACK, NAMESPACE
from aligntune_core.run.process.values import CannotCrossError, tagged, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from aligntune_core.events import Event
    from aligntune_core.trainer import Trainer, TrainResult


class Work:
    """The job of this process.

    Args:
        heard: Within what it gives, an interruption is raised.
    """

    def __init__(self, heard: Callable[[], AbstractContextManager[None]]) -> None:
        self.call: Callable[..., Any] = _nobody
        self._heard = heard
        self._trainer: Trainer | None = None
        self._callbacks: list[Callable[..., Any]] = []
        self._doing: dict[str, Callable[..., Any]] = {
            "check": self._check,
            "launch": self._launch,
            "train": self._train,
            "evaluate": self._evaluate,
            "save": self._save,
            "apply": self._apply,
        }

    def __call__(self, do: str, given: dict[str, Any]) -> Any:
        """Do what is asked for."""
        with self._heard():
            return self._doing[do](**given)

    def get_ready(self) -> None:
        """Import what any job needs, while the other process still reads it."""
        import aligntune_core.check.decide
        import aligntune_core.run.emitting
        import aligntune_core.run.held_trainer
        import aligntune_core.run.launch  # noqa: F401

    def special(self, value: Any) -> Any:
        """An engine's function, or an engine's object with fields, as something that the other process can use."""
        if callable(value):
            if value not in self._callbacks:
                self._callbacks.append(value)
            name = getattr(value, "__name__", type(value).__name__)
            return tagged(CALLBACK, {"number": self._callbacks.index(value), "name": name})
        if is_dataclass(value):
            kept = {each.name: self._crossing(getattr(value, each.name, None)) for each in fields(value)}
            return tagged(NAMESPACE, {name: written[0] for name, written in kept.items() if written})
        return None

    def _crossing(self, value: Any) -> list[Any]:
        try:
            return [to_json(value)]
        except CannotCrossError:
            return []

    def _check(self, job: dict[str, Any], level: str, path: list[str]) -> list[Any]:
        from aligntune_core.check.ask import check_job
        from aligntune_core.run.process.unpacking import unpacked

        sys.path += [each for each in path if each not in sys.path]
        verdict = check_job(unpacked(job, self.call, self.special), level=level)
        return [verdict.examination, list(verdict.problems)]

    def _launch(self, job: dict[str, Any], reason: str, rejected: Mapping[str, str], path: list[str]) -> None:
        from aligntune_core.check.decide import decide
        from aligntune_core.run.launch import launch
        from aligntune_core.run.process.unpacking import unpacked

        # last, so that nothing of the other process stands in for what is installed here
        sys.path += [each for each in path if each not in sys.path]
        verdict = decide(unpacked(job, self.call, self.special))
        if reason:
            verdict = replace(verdict, reason=reason, rejected=rejected)
        self._trainer = launch(verdict, on_event=self._tell, observed=False)

    def _tell(self, event: Event) -> None:
        try:
            self.call("event", event=event)
        except CannotCrossError as error:
            raise BackendError(
                f"an event can't be told to another process: {error}.", fix="Report it to the backend's authors."
            ) from error

    def _train(self) -> TrainResult:
        return self._made().train()

    def _evaluate(self) -> dict[str, float]:
        return self._made().evaluate()

    def _save(self, path: Path | None, *, merge: bool) -> Path:
        return self._made().save(path, merge=merge)

    def _apply(self, function: int, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        return self._callbacks[function](*arguments, **keywords)

    def _made(self) -> Trainer:
        if self._trainer is None:
            raise BackendError("no trainer was made in this process.")
        return self._trainer


def _nobody(*_: Any, **__: Any) -> Any:
    raise RuntimeError("there is nobody to call yet")
