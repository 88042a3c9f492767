"""The progress bar of a run on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Column
from rich.text import Text

if TYPE_CHECKING:
    from typing import TextIO


class Bar:
    """A bar with steps, metrics, speed and the time that is left.

    It is drawn when a step is told and not by a thread of its own, so that a run that ends in an exception leaves a
    terminal that works.

    Args:
        stream: The terminal.
        total: Optimiser steps in all.
        first: Steps already taken.
    """

    def __init__(self, stream: TextIO, total: int, first: int) -> None:
        console = Console(file=stream, highlight=False)
        self._progress = Progress(
            BarColumn(bar_width=None, table_column=Column(min_width=8, ratio=1)),
            MofNCompleteColumn(table_column=Column(no_wrap=True, min_width=2 * len(str(total)) + 1)),
            TextColumn("{task.description}", table_column=Column(no_wrap=True), markup=False),
            console=console,
            auto_refresh=False,
            expand=True,
        )
        self._task = self._progress.add_task("", total=total, completed=first)
        self._progress.start()
        console.show_cursor(True)
        self._metrics = ""

    def show(self, step: int, metrics: str, speed: str, left: str) -> None:
        """Draw the bar at a step.

        Args:
            step: Optimiser steps taken.
            metrics: The newest metrics as text; those shown before stay where it is empty.
            speed: The speed as text.
            left: The time that is left as text.
        """
        self._metrics = metrics or self._metrics
        text = "  ".join(part for part in (self._metrics, speed, f"eta {left}") if part)
        self._progress.update(self._task, completed=step, description=text, refresh=True)

    def say(self, text: str) -> None:
        """Write a line above the bar."""
        self._progress.console.print(Text.from_ansi(text), soft_wrap=True)

    def close(self) -> None:
        """Leave the bar as it is and give the terminal back."""
        self._progress.stop()
