"""How much can still be written where a folder is or will be."""

from __future__ import annotations

import shutil
from pathlib import Path


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there.

    Args:
        folder: A folder that may still have to be made.
    """
    absolute = folder.absolute()
    for each in (absolute, *absolute.parents):
        try:
            if each.is_dir():
                return each
        except OSError:  # a folder above it may not be entered
            continue
    return Path(absolute.anchor)


def free_bytes(folder: str) -> int | None:
    """Bytes that can still be written where a folder is or will be; None where that can't be told.

    Args:
        folder: Its path, as a job names it.
    """
    try:
        return shutil.disk_usage(existing(Path(folder).expanduser())).free
    except (OSError, RuntimeError, ValueError):
        return None
