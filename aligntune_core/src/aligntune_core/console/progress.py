"""What a run's events look like on a console: a bar on a terminal, plain lines in a file."""

from __future__ import annotations

import math
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, Self

from aligntune_core.console.ink import Ink
from aligntune_core.events import (
    CheckpointSaved,
    DataReady,
    Decided,
    Evaluated,
    Event,
    Finished,
    Notice,
    Saved,
    Started,
    Stepped,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from aligntune_core.console.bar import Bar

SHOWN_METRICS = {"loss": "loss", "reward": "reward", "rewards/accuracies": "accuracy"}
"""The logged metrics that are shown while a run goes, and what they are called there."""

_PACE_STEPS = 20


class ConsoleProgress:
    """A listener that tells a person how a run goes.

    Args:
        stream: Where it is told; standard error if None.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._ink = Ink(stream or sys.stderr)
        self._bar: Bar | None = None
        self._total = self._first = 0
        self._times: deque[tuple[float, int]] = deque(maxlen=_PACE_STEPS + 1)
        self.began = False
        self.steps = 0
        self.losses: list[float] = []
        self.checkpoint = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case Decided():
                self._decided(event)
            case DataReady():
                self._data(event)
            case Notice():
                self._notice(event.message, warning=event.warning)
            case Started():
                self._started(event)
            case Stepped():
                self._stepped(event)
            case Evaluated():
                self._say(f"evaluation at step {event.step}: {_figures(event.metrics)}")
            case CheckpointSaved():
                self.checkpoint = event.path
                self._say(self._ink.style(f"checkpoint at step {event.step}: {event.path}", "dim"))
            case Finished():
                self._finished(event)
            case Saved():
                self._say(f"the model is in {event.path}")

    def close(self) -> None:
        """Leave the terminal as it was found."""
        if self._bar:
            self._bar.close()
            self._bar = None

    def _say(self, text: str) -> None:
        if self._bar:
            self._bar.say(text)
        else:
            self._ink.say(text)

    def _decided(self, event: Decided) -> None:
        self._say(self._ink.wrap(f"backend {event.backend}: {event.reason}", "  ", ""))
        for name, reason in event.rejected.items():
            self._say(self._ink.wrap(f"not {name}: {reason}", "    ", "  "))
        for warning in event.warnings:
            self._notice(warning, warning=True)

    def _data(self, event: DataReady) -> None:
        from aligntune_core.console.row import row_lines

        head = f"{event.name}: {event.source}, {event.rows} rows, read as {event.format}"
        self._say(self._ink.wrap(head, "  ", ""))
        if event.unused:
            self._say(f"  {sum(event.unused.values())} rows are not used:")
        for reason, count in event.unused.items():
            self._say(self._ink.wrap(f"{count}: {reason}", "      ", "    "))
        if event.first:
            self._say("  the first row:")
            for line in row_lines(event.first, self._ink):
                self._say(line)

    def _notice(self, message: str, *, warning: bool) -> None:
        self._say(
            self._ink.labelled("warning:", message, "yellow") if warning else self._ink.labelled("note:", message)
        )

    def _started(self, event: Started) -> None:
        share = f"{event.trainable:,} of {event.parameters:,}" if event.trainable != event.parameters else "all"
        weights = f", {share} weights" if event.parameters else ""
        place = f" on {event.device}" if event.device else ""
        already = f", {event.first_step} of them done before" if event.first_step else ""
        self._say(self._ink.wrap(f"training{place}{weights}: {event.total_steps} steps{already}", "  ", ""))
        self.close()
        self._total = event.total_steps
        self.began = True
        self._first = self.steps = event.first_step
        self._times.clear()
        self._times.append((time.monotonic(), event.first_step))
        if self._ink.terminal:
            from aligntune_core.console.bar import Bar

            self._bar = Bar(self._ink.stream, event.total_steps, event.first_step)

    def _stepped(self, event: Stepped) -> None:
        if event.step != self.steps:
            self._times.append((time.monotonic(), event.step))
        self.steps = event.step
        shown = {word: event.metrics[name] for name, word in SHOWN_METRICS.items() if name in event.metrics}
        if "loss" in shown:
            self.losses.append(shown["loss"])
        speed = self._speed()
        left = (self._total - event.step) / speed if speed else None
        if self._bar:
            self._bar.show(event.step, _figures(shown), speed_text(speed), time_text(left))
        elif event.metrics:
            total = f"/{self._total}" if self._total else ""
            parts = (f"step {event.step}{total}", _figures(shown), speed_text(speed), f"eta {time_text(left)}")
            self._say("  ".join(part for part in parts if part))

    def _speed(self) -> float | None:
        if not self._times:
            return None
        (began, first), (now, last) = self._times[0], self._times[-1]
        return (last - first) / (now - began) if now > began and last > first else None

    def _finished(self, event: Finished) -> None:
        self.close()
        taken = event.steps - self._first
        speed = f", {speed_text(taken / event.seconds)}" if event.seconds > 0 and taken > 0 else ""
        loss = f", final loss {self.losses[-1]:.4g}" if self.losses else ""
        if not self.losses and "train_loss" in event.metrics:
            loss = f", mean loss {event.metrics['train_loss']:.4g}"
        self._say(f"trained {event.steps} steps in {time_text(event.seconds)}{speed}{loss}")


def _figures(metrics: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())


def speed_text(speed: float | None) -> str:
    """Steps a second as text; empty when not known."""
    return f"{speed:.2f} steps/s" if speed and speed >= 1 else f"{speed:.2g} steps/s" if speed else ""


def time_text(seconds: float | None) -> str:
    """A span of time as text, e.g. ``1:02:05`` or ``12 s``; a question mark when not known."""
    if seconds is None or not math.isfinite(seconds):
        return "?"
    if round(seconds) < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
