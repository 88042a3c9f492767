"""In what order the events of a training may come, and what they say of it so far."""

from __future__ import annotations

from aligntune_core.events import CheckpointSaved, Event, Finished, Started, Stepped

OF_TRAINING = (Started, Stepped, CheckpointSaved, Finished)
"""The events that come between the beginning and the end of a training; any other may come at any time."""


class Order:
    """What the events of one training have told so far."""

    def __init__(self) -> None:
        self.started = self.finished = False
        self.total = self.first = self.step = 0

    @property
    def is_open(self) -> bool:
        """Whether the training has begun and not ended."""
        return self.started and not self.finished

    @property
    def has_nothing_left(self) -> bool:
        """Whether the training was over before it began, because it goes on from its own end."""
        return self.first >= self.total > 0

    def take(self, event: Event) -> str:
        """Note an event; gives what is wrong with it after those before, in words, and else nothing."""
        if not isinstance(event, OF_TRAINING):
            return ""
        name = type(event).__name__
        if isinstance(event, Started):
            if self.is_open:
                return "sent Started twice in one training"
            self.started, self.finished = True, False
            self.total, self.first, self.step = event.total_steps, event.first_step, event.first_step
            return ""
        if not self.is_open:
            return f"sent {name} {'after Finished' if self.finished else 'before Started'}"
        step = event.steps if isinstance(event, Finished) else event.step
        if fault := self._misplaced(event, step):
            return fault
        if not isinstance(event, CheckpointSaved):
            self.step = step
        self.finished = isinstance(event, Finished)
        return ""

    def _misplaced(self, event: Event, step: int) -> str:
        most = max(self.total, self.first)
        if self.total and step > most:
            return f"sent {type(event).__name__} with step {step} in a training of {most} steps"
        if isinstance(event, CheckpointSaved):
            return f"sent CheckpointSaved with step {step} after step {self.step}" if step > self.step else ""
        if isinstance(event, Stepped) and step <= self.first:
            return f"sent Stepped with step {step} in a training whose first step is {self.first + 1}"
        if step < self.step:
            return f"sent {type(event).__name__} with step {step} after step {self.step}"
        return ""
