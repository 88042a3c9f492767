"""Importing a large library in the time that its modules take, without that of the garbage collector."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def large_import() -> Iterator[None]:
    """Let the garbage collector rest while modules are imported.

    Modules stay for as long as the process, and collecting goes through all of them again and again: that takes a
    fifth of the time in which an engine is imported. A collector that somebody else has switched off stays off.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            # together, these two move all there is to the oldest generation without going through it
            gc.freeze()
            gc.unfreeze()
        gc.enable()
