"""Standard output while a backend's code runs: what it writes there goes to standard error, and is known of."""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock
from contextlib import contextmanager, suppress
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

_MOST = 2**20
"""Bytes of what was written that are passed on."""


class Aside:
    """What was written to standard output.

    Args:
        text: All of it, once it is known; empty where others write there at the same time.
    """

    text: str = ""


@contextmanager
def standard_output_aside(*, may_ask: bool = False) -> Iterator[Aside]:
    """Take what is written to standard output, also by compiled code, and pass it on to standard error at the end.

    The streams and what is behind them are afterwards what they were before, whatever was done to them within.

    Args:
        may_ask: Whether the user may be asked something within; standard input is empty otherwise.
    """
    said = Aside()
    with _LOCK:
        _STATE.users += 1
        if _STATE.users == 1:
            _STATE.begin(may_ask=may_ask)
    try:
        yield said
    finally:
        with _LOCK:
            _STATE.users -= 1
            if not _STATE.users:
                said.text = _STATE.end()


class _State:
    """The streams as they were, while there are users within: the first sets them aside, the last puts them back."""

    def __init__(self) -> None:
        self.users = 0
        self._streams: tuple[Any, ...] = ()
        self._kept: dict[int, int] = {}
        self._stand_in: Any = None

    def begin(self, *, may_ask: bool) -> None:
        self._streams = sys.stdin, sys.stdout, sys.stderr
        _flush(sys.__stdout__, *self._streams[1:])
        self._kept = {}
        for number in (1, 2):
            with suppress(OSError):
                self._kept[number] = os.dup(number)
        for number in (_number(), *self._kept.keys() & {1}):
            os.dup2(_file(), number)
        self._stand_in = _stand_in()
        sys.stdout = self._stand_in
        if not may_ask:
            sys.stdin = StringIO()

    def end(self) -> str:
        stdin, stdout, stderr = self._streams
        _flush(self._stand_in, sys.__stdout__, stdout)
        for number, kept in self._kept.items():
            os.dup2(kept, number)
            os.close(kept)
        with suppress(OSError):
            # who kept the stream, a log for instance, goes on to write to standard error
            os.dup2(2, _number())
        sys.stdin, sys.stdout, sys.stderr = stdin, _open(stdout, 1), _open(stderr, 2)
        text = _taken(_file())
        if text:
            with suppress(OSError, ValueError, AttributeError):
                sys.stderr.write(text)
                sys.stderr.flush()
        return text


_LOCK = allocate_lock()
_STATE = _State()


def _open(stream: Any, number: int) -> Any:
    """The stream, or one like it where it was closed."""
    return open(number, "w", encoding="utf-8", closefd=False) if getattr(stream, "closed", False) else stream


def _flush(*streams: Any) -> None:
    for stream in streams:
        with suppress(Exception):
            stream.flush()


def _taken(file: int) -> str:
    if not os.lseek(file, 0, os.SEEK_END):
        return ""
    text = os.pread(file, _MOST, 0)
    os.ftruncate(file, 0)
    os.lseek(file, 0, os.SEEK_SET)
    return text.decode(errors="backslashreplace")


@cache
def _file() -> int:
    """A file that has no name."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("aligntune")
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


@cache
def _number() -> int:
    """The file that the stand-in writes to; never closed, since others may keep the stream."""
    return os.dup(_file())


def _stand_in() -> TextIO:
    """A stream that stands for standard output within."""
    return open(_number(), "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
