"""Whether a backend wrote what it says that it wrote."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from aligntune_core.machine.disk import exists

if TYPE_CHECKING:
    from collections.abc import Iterator


def can_be_looked_for(path: str) -> bool:
    """Whether this process can see what was written there.

    Args:
        path: The path, or the address of a store.
    """
    # other processes of a run may be on other machines, and only the first one writes
    return os.environ.get("RANK", "0") == "0" and "://" not in path


def is_there(path: str) -> bool:
    """Whether there is anything at a path that can be looked for.

    Args:
        path: The path.
    """
    return exists(Path(path))


def holds_more_than_checkpoints(place: Path) -> bool:
    """Whether there is a file with something in it, or a folder with one, that is not of a checkpoint inside.

    Args:
        place: The file or the folder.
    """
    return any(_size(file) for file in _files(place))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # a link to what is gone, or a file that may not be looked at
        return 0


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    for parent, folders, files in os.walk(place):
        folders[:] = [name for name in folders if not name.startswith("checkpoint-")]
        yield from (Path(parent, name) for name in files)
