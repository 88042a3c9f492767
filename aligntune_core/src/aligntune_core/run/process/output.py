"""What a child prints: a file of its own, and the end of it for messages."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aligntune_core.console.ink import printable

if TYPE_CHECKING:
    from pathlib import Path

LINES, CHARACTERS = 15, 2000
_READ = 16384


def last_lines(file: Path) -> str:
    """The last lines that a child printed, indented; empty where there are none.

    Args:
        file: What it printed.
    """
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, os.fstat(opened.fileno()).st_size - _READ))
            text = opened.read().decode("utf-8", "replace")
    except OSError:
        return ""
    # a bar that is drawn over and over is one line
    lines = [line.rpartition("\r")[2].rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    kept = [printable(line) for line in lines if line.strip()][-LINES:]
    shown = "\n".join(f"  {line}" for line in kept)
    return shown if len(shown) <= CHARACTERS else f"  ...{shown[-CHARACTERS:]}"
