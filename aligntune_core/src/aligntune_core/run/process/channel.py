"""Frames between two processes: one JSON object on each line of a socket that nobody else writes to."""

from __future__ import annotations

import socket
import sys
from threading import Lock
from typing import TYPE_CHECKING, Any

from aligntune_core.run.process.values import as_bytes, of_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_AT_ONCE = 1 << 18
_WHOLE = 1 << 14 if sys.platform == "linux" else 0
"""Bytes up to which the system takes a message as a whole or not at all."""


class NotAFrameError(ValueError):
    """Something on the channel that is no frame."""


class Channel:
    """One end of the socket.

    Args:
        end: The socket.
    """

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self._unread = bytearray()
        self._lock = Lock()

    def send(self, frame: Mapping[str, Any]) -> None:
        """Send one frame; frames of several threads are sent one after the other.

        Raises:
            OSError: If nobody reads them any more.
        """
        line = as_bytes(frame)
        with self._lock:
            self.end.sendall(line)

    def send_whole(self, frame: Mapping[str, Any]) -> bool:
        """Send one frame, if it can be sent at once and without a signal breaking it off; says whether it was.

        Raises:
            OSError: If nobody reads them any more.
        """
        line = as_bytes(frame)
        if len(line) > _WHOLE:
            return False
        with self._lock:
            try:
                self.end.send(line, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
        return True

    def receive(self) -> list[dict[str, Any]] | None:
        """The frames that have come, after waiting for something to come; None when no more will.

        Raises:
            NotAFrameError: If something else has come.
        """
        try:
            come = self.end.recv(_AT_ONCE)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not come:
            return None
        return list(self._frames(come))

    def _frames(self, come: bytes) -> Iterator[dict[str, Any]]:
        if b"\n" not in come:
            self._unread += come
            self._expect_beginning()
            return
        *lines, rest = bytes(self._unread + come).split(b"\n")
        self._unread = bytearray(rest)
        for line in lines:
            yield _frame(line)
        self._expect_beginning()

    def _expect_beginning(self) -> None:
        # what has no end of a line in it would be waited for forever
        if self._unread and self._unread[:1] != b"{":
            raise _not_a_frame(bytes(self._unread))


def _frame(line: bytes) -> dict[str, Any]:
    try:
        frame = of_bytes(line)
    except (ValueError, RecursionError) as error:
        raise _not_a_frame(line) from error
    if not isinstance(frame, dict):
        raise _not_a_frame(line)
    return frame


def _not_a_frame(line: bytes) -> NotAFrameError:
    shown = repr(line if len(line) <= 60 else line[:60] + b"...")
    return NotAFrameError(shown[1:])
