"""Files that have an end: what is none is told by its kind, and is never waited for."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


class NotAFileError(OSError):
    """A path that holds something else than a file: a FIFO, a socket, a device or a folder.

    Args:
        kind: What it is, with its article.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(f"it is {kind}, not a file")
        self.kind = kind
        self.strerror = f"it is {kind}, not a file"


def special_kind(path: Path) -> str | None:
    """What a path is that is neither a file nor a folder: ``a FIFO``, ``a socket``, ``a device``; else None.

    Raises:
        OSError: If nothing can be told of it, e.g. because there is nothing.
    """
    kind = _kind(path.stat())
    return None if kind == "a folder" else kind


def open_file(path: Path) -> BinaryIO:
    """The file at a path, opened for reading without waiting for anybody to write to it.

    Raises:
        NotAFileError: If it is not a file.
        OSError: If it can't be opened.
    """
    _refuse(path.stat())
    # it may have become another one since, and opening a FIFO would wait
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        _refuse(os.fstat(number))
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def _refuse(found: os.stat_result) -> None:
    kind = _kind(found)
    if kind:
        raise NotAFileError(kind)


def _kind(found: os.stat_result) -> str | None:
    return _KINDS.get(stat.S_IFMT(found.st_mode))
