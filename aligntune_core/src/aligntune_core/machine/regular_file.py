"""Files that have an end: what is none is told by its kind, and is never waited for."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, BinaryIO

from aligntune_core.wording import size

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


class TooLargeError(OSError):
    """A file that holds more than is read of one of its kind.

    Args:
        most: Bytes that it may hold.
    """

    def __init__(self, most: int) -> None:
        super().__init__(f"it is larger than {size(most)}")
        self.strerror = f"it is larger than {size(most)}"


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


def read_file(path: Path, most: int) -> bytes:
    """What is in a small file.

    Args:
        path: The file.
        most: Bytes that it may hold.

    Raises:
        NotAFileError: If it is not a file.
        TooLargeError: If it holds more.
        OSError: If it can't be read.
    """
    with open_file(path) as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise TooLargeError(most)
    return found


def _refuse(found: os.stat_result) -> None:
    kind = _kind(found)
    if kind:
        raise NotAFileError(kind)


def _kind(found: os.stat_result) -> str | None:
    return _KINDS.get(stat.S_IFMT(found.st_mode))
