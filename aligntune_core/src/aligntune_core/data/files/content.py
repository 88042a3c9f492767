"""The bytes of a data file, unpacked where it is gzipped, and no more of them than its limits allow."""

from __future__ import annotations

import gzip
import os
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from aligntune_core.data.files.limits import UNPACKED_FLOOR
from aligntune_core.data.files.paths import not_a_file
from aligntune_core.errors import DataError
from aligntune_core.machine.regular_file import NotAFileError, open_file
from aligntune_core.wording import size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aligntune_core.data.files.limits import Limits

BLOCK = 2**16
"""Bytes that are read at once."""

_READ_AHEAD = 2**17
"""Packed bytes that the gzip module may have read and not unpacked yet."""


class LookedEnough(Exception):  # noqa: N818 it is no error
    """All that was asked for has been read, and there is more."""


class Source:
    """One data file while it is read.

    Args:
        path: The file.
        packed: The same, opened.
        limits: What it may hold.
        head: Bytes after which reading ends with LookedEnough, once ``has_rows`` was set; None to read all.
    """

    def __init__(self, path: Path, packed: BinaryIO, limits: Limits, head: int | None = None) -> None:
        self.path = path
        self.limits = limits
        self.head = head
        self.has_rows = False
        self.taken = 0
        self.is_plain = not path.name.lower().endswith(".gz")
        self._kept = b""
        self._packed = packed
        self._file = packed if self.is_plain else gzip.GzipFile(fileobj=packed)

    def read(self, amount: int = BLOCK) -> bytes:
        """The next bytes, ``amount`` or fewer; none at the end.

        Raises:
            LookedEnough: If the head has been read and has rows.
            DataError: If the file can't be read or unpacked, or expands beyond its limit.
        """
        if self._kept:
            data, self._kept = self._kept, b""
            return data
        if self.head is not None:
            if self.taken < self.head:
                amount = min(amount, self.head - self.taken)
            elif self.has_rows:
                raise LookedEnough
        try:
            data = self._file.read(amount)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                f"'{self.path}' can't be unpacked: it is cut off or not a gzip file ({error}).",
                fix="Fetch or pack it again.",
            ) from error
        except OSError as error:
            raise cant_read(self.path, error) from error
        self.taken += len(data)
        if not self.is_plain and self.taken > UNPACKED_FLOOR:
            self._check_expansion(self._packed.tell())
        return data

    def end(self, amount: int = 4) -> bytes:
        """The last bytes of a file that is not packed."""
        self._packed.seek(-min(amount, os.fstat(self._packed.fileno()).st_size), os.SEEK_END)
        return self._packed.read()

    def start(self) -> bytes:
        """The first bytes up to some that are no white space, which are still to be read.

        Raises:
            DataError: If there are none.
        """
        found = b""
        while len(found) <= self.limits.row:
            data = self.read(max(BLOCK, len(found)))
            found += data
            if data and not data.isspace():
                break
            if not data:
                raise empty(self.path)
        self._kept = found
        return found

    def unpack_on(self) -> None:
        """Unpack further while so little of the packed file gave so much that its limit may be exceeded.

        Raises:
            DataError: If it is.
        """
        if self.is_plain:
            return
        self.head = None
        while self.taken > max(self._packed.tell() - _READ_AHEAD, 1) * self.limits.expansion and self.read():
            pass

    def _check_expansion(self, packed: int) -> None:
        if self.taken > packed * self.limits.expansion:
            raise DataError(
                f"'{self.path}' unpacks to more than {self.limits.expansion} times its size: its first "
                f"{size(packed)} to {size(self.taken)}.",
                fix="Check that it is the right file; if so, unpack it or raise data_limits.expansion.",
            )

    def lines(self) -> Iterator[str]:
        """The text in pieces of whole lines, each piece without its last line break.

        Raises:
            DataError: If it is not UTF-8 or a line is longer than a row may be; with the line, after all before it.
        """
        number, rest = 1, b""
        while True:
            data = self.read(max(BLOCK, len(rest)))
            cut = data.rfind(b"\n")
            if data and cut < 0:
                rest += data
                if len(rest) > self.limits.row:
                    raise too_long(self.path, number, self.limits)
                continue
            piece = rest + data[:cut] if data else rest
            if data or piece:
                text, fault = self._decoded(piece, number)
                if text is not None:
                    yield text
                if fault:
                    raise fault
            if not data:
                return
            number += piece.count(b"\n") + 1
            rest = data[cut + 1 :]

    def _decoded(self, piece: bytes, number: int) -> tuple[str | None, DataError | None]:
        """The text of whole lines, or of those before the first that can't be taken, and why it can't."""
        fault, end = None, len(piece)
        if end > self.limits.row:
            begin = 0
            for line in piece.split(b"\n"):
                if len(line) > self.limits.row:
                    end = begin - 1
                    fault = too_long(self.path, number + piece.count(b"\n", 0, begin), self.limits)
                    break
                begin += len(line) + 1
        encoding = "utf-8-sig" if number == 1 else "utf-8"
        while end >= 0:
            try:
                return piece[:end].decode(encoding), fault
            except UnicodeDecodeError as error:
                at = error.start
                end = piece.rfind(b"\n", 0, at)
                fault = not_utf8(self.path, number + piece.count(b"\n", 0, at))
        return None, fault


@contextmanager
def opened(path: Path, limits: Limits, head: int | None = None) -> Iterator[Source]:
    """A data file, open as long as it is read.

    Args:
        path: The file.
        limits: What it may hold.
        head: How much of it is read, None for all.

    Raises:
        DataError: If it is not there, not a file, empty or longer than its limit.
    """
    try:
        packed = open_file(path)
    except OSError as error:
        raise cant_read(path, error) from error
    with packed:
        length = os.fstat(packed.fileno()).st_size
        if not length:  # what a system makes up while it is read, and may never end, has this length too
            raise empty(path)
        if length > limits.file:
            raise DataError(
                f"'{path}' is {size(length)}, more than the {size(limits.file)} that a data file may be.",
                fix="Split it up, or raise data_limits.file.",
            )
        yield Source(path, packed, limits, head)


def empty(path: Path) -> DataError:
    """The error of a file with nothing in it."""
    return DataError(f"'{path}' is empty.", fix="Give a file with rows in it.")


def no_rows(path: Path) -> DataError:
    """The error of a file that has a form, and no rows."""
    return DataError(f"'{path}' has no rows.", fix="Give a file with rows in it.")


def not_utf8(path: Path, line: int) -> DataError:
    """The error of text in another encoding."""
    return DataError(
        f"{path}:{line}: the text is not UTF-8.", fix=f"Convert it, e.g. iconv -f LATIN1 -t UTF-8 '{path.name}'."
    )


def too_long(path: Path, line: int, limits: Limits) -> DataError:
    """The error of a row that is longer than a row may be."""
    return DataError(
        f"{path}:{line}: the row that begins here is longer than {size(limits.row)}, the most that a row may be.",
        fix="Check that rows end where they should; if so, raise data_limits.row.",
    )


def cant_read(path: Path, error: OSError) -> DataError:
    """The error of a file that can't be opened or read."""
    if isinstance(error, NotAFileError):
        return not_a_file(path, error.kind)
    return DataError(f"'{path}' can't be read: {error.strerror or error}.", fix="Check its permissions.")
