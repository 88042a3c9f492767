"""The program of a process that runs one job for another: started by it, and gone with it."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from aligntune_core.run.process.channel import Channel, NotAFrameError
from aligntune_core.run.process.greeting import greeting
from aligntune_core.run.process.lifeline import hold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    Frame = dict[str, Any]

CHANNEL_LOST = 3
"""The exit code of a process whose channel was closed or spoilt."""


class Interruptions:
    """Ctrl-C, as the other process passes it on: heard while a call is worked on, and never within a message."""

    def __init__(self) -> None:
        self._is_heard = self._is_held = self._waits = False
        signal.signal(signal.SIGINT, self._take)

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Within, an interruption is raised."""
        before, self._is_heard = self._is_heard, True
        try:
            yield
        finally:
            self._is_heard = before

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within, an interruption waits for the end."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
            waits, self._waits = self._waits, False
        if waits and self._is_heard:
            raise KeyboardInterrupt

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_held:
            self._waits = True
        elif self._is_heard:
            raise KeyboardInterrupt


def main(channel: int, lifeline: int) -> None:
    """Greet, and do what is asked for until there is no more to do.

    Args:
        channel: The file descriptor of the channel.
        lifeline: That of the lifeline.
    """
    hold(lifeline)
    interruptions = Interruptions()
    end = socket.socket(fileno=channel)
    end.set_inheritable(False)
    ours = Channel(end)
    ours.send(greeting())
    inbox: SimpleQueue[Frame | None] = SimpleQueue()

    from aligntune_core.machine.importing import large_import

    with large_import():
        from aligntune_core.run.process.conversation import Conversation
        from aligntune_core.run.process.work import Work

    def send(frame: Frame) -> None:
        with interruptions.held():
            ours.send(frame)

    work = Work(interruptions.heard)
    conversation = Conversation("c", send, work, inbox.put, special=work.special)
    work.call = conversation.call
    threading.Thread(target=_read, args=(ours, conversation, inbox), name="channel", daemon=True).start()
    with large_import():
        work.get_ready()
    while (frame := inbox.get()) is not None:
        conversation.handle(frame)


def _read(ours: Channel, conversation: Any, inbox: SimpleQueue[Frame | None]) -> None:
    import os

    greeted = False
    try:
        while (frames := ours.receive()) is not None:
            for frame in frames:
                if not greeted:
                    greeted = True
                elif "end" in frame:
                    inbox.put(None)
                else:
                    conversation.take(frame)
    except (NotAFrameError, ValueError) as error:
        sys.stderr.write(f"The channel is spoilt: {error}.\n")
    # there is nobody to work for, and the main thread may be anywhere
    os._exit(CHANNEL_LOST)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
