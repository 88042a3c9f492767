"""Paths as a person writes them, what is there, and how much can still be written."""

from __future__ import annotations

import shutil
from pathlib import Path


def expanded(name: str) -> Path:
    """The path with a person's home in place of ``~``; as it is where there is no such user.

    Args:
        name: A path, as a job names it.
    """
    try:
        return Path(name).expanduser()
    except RuntimeError:  # there is no such user
        return Path(name)


def exists(path: Path) -> bool:
    """Whether there is a file or a folder; not where that can't be told.

    Args:
        path: Where it would be.
    """
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, or a folder that may not be entered
        return False


def holds(folder: Path, file: str) -> bool:
    """Whether a folder has a file of a name; not where that can't be told.

    Args:
        folder: The folder, there or not.
        file: The file's name.
    """
    try:
        return (folder / file).is_file()
    except (OSError, ValueError):
        return False


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
        return shutil.disk_usage(existing(expanded(folder))).free
    except (OSError, ValueError):
        return None
