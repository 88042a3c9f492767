"""Naming on standard error who is waited for, once that takes long."""

from __future__ import annotations

import sys
import time
from _thread import allocate_lock, start_new_thread
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 5.0
"""Seconds after which somebody is named."""

_TICK = 0.5
_LOCK = allocate_lock()
_WAITS: list[_Wait] = []


@dataclass(eq=False)
class _Wait:
    text: str
    stream: Any
    until: float
    told: bool = field(default=False)


@contextmanager
def named_when_slow(name: str, doing: str) -> Iterator[None]:
    """Name a backend on standard error when what it does takes long.

    Args:
        name: The backend.
        doing: What it does within.
    """
    text = (
        f"aligntune: backend '{name}' takes long: {PATIENCE:.0f} seconds have gone by while it {doing}. Ctrl-C ends "
        f"that, and ALIGNTUNE_DISABLED_BACKENDS={name} leaves it out.\n"
    )
    wait = _Wait(text, sys.stderr, time.monotonic() + PATIENCE)
    with _LOCK:
        is_first = not _WAITS and not _watching
        _WAITS.append(wait)
        if is_first:
            _watching.append(True)
            # the module for threads takes longer to import than a plugin
            start_new_thread(_watch, ())
    try:
        yield
    finally:
        with _LOCK:
            _WAITS.remove(wait)


_watching: list[bool] = []


def _watch() -> None:
    while True:
        time.sleep(_TICK)
        now = time.monotonic()
        with _LOCK:
            if not _WAITS:
                _watching.clear()
                return
            late = [wait for wait in _WAITS if not wait.told and now >= wait.until]
        for wait in late:
            wait.told = True
            with suppress(Exception):
                wait.stream.write(wait.text)
                wait.stream.flush()
