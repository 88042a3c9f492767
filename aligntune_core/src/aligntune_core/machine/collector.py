"""Python's collector of cycles, for work that makes many objects and no cycles."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def collected_between() -> Iterator[Callable[[], object]]:
    """Let the collector look through young objects only when it is told to: between two batches, when few are alive.

    Within a batch it would go through all of its rows again and again, a third of the time that converting them takes.
    What is given collects; a collector that somebody else has switched off stays off.
    """
    if not gc.isenabled():
        yield lambda: None
        return
    gc.disable()
    try:
        yield lambda: gc.collect(0)
    finally:
        gc.enable()
