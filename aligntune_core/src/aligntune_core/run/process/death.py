"""The end of a child process: waited for, together with what it sends, and its exit code left where it is."""

from __future__ import annotations

import math
import os
import select
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

_POLL_SECONDS = 0.2
"""How often it is looked at where the system does not tell of it."""


class Death:
    """Waits for a child's end without taking its exit code.

    Args:
        process: The child.
        channel: The file descriptor that it sends to.
        handle: What the system makes readable then, where it has such a thing.
    """

    def __init__(self, process: subprocess.Popen[bytes], channel: int, handle: int | None) -> None:
        self._process = process
        self._channel = channel
        self._alone, self._both = select.poll(), select.poll()
        self._both.register(channel, select.POLLIN)
        self._step = math.inf if handle is not None else _POLL_SECONDS
        if handle is not None:
            self._alone.register(handle, select.POLLIN)
            self._both.register(handle, select.POLLIN)

    def or_readable(self) -> bool:
        """Wait until the child has ended, or there is something to read; says whether it has ended."""
        while not (ready := self._both.poll(None if self._step == math.inf else self._step * 1000)):
            if self._has_ended():
                return True
        return all(number != self._channel for number, _ in ready) and self._has_ended()

    def within(self, seconds: float = math.inf) -> bool:
        """Whether the child has ended, after waiting for that.

        Args:
            seconds: How long to wait at most.
        """
        until = time.monotonic() + seconds
        while not (ended := self._has_ended()) and (left := until - time.monotonic()) > 0:
            step = min(left, self._step)
            self._alone.poll(None if step == math.inf else step * 1000)
        return ended

    def _has_ended(self) -> bool:
        if not hasattr(os, "waitid"):  # some systems have none, and there the exit code is taken
            return self._process.poll() is not None
        try:
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:  # somebody else has taken its exit code
            return True


@contextmanager
def death_of(process: subprocess.Popen[bytes], channel: int) -> Iterator[Death]:
    """What waits for a child's end.

    Args:
        process: The child.
        channel: The file descriptor that it sends to.
    """
    try:
        handle = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        handle = None  # no such thing here
    try:
        yield Death(process, channel, handle)
    finally:
        if handle is not None:
            os.close(handle)
