"""The bytes and the text of a data file, unpacked where it is gzipped."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

from aligntune_core.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path


def read_bytes(path: Path, limit: int | None = None) -> tuple[bytes, bool]:
    """The first ``limit`` bytes of a file, unpacked, and whether that is all of it.

    Raises:
        DataError: If it can't be opened, or is gzipped and broken or cut off.
    """
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
            if limit is None:
                return file.read(), True
            data = file.read(limit + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"'{path}' can't be unpacked: it is cut off or not a gzip file ({error}).",
            fix="Fetch or pack it again.",
        ) from error
    except OSError as error:
        raise DataError(f"'{path}' can't be read: {error.strerror or error}.", fix="Check its permissions.") from error
    return data[:limit], len(data) <= limit


def decode(data: bytes, path: Path, *, whole: bool) -> str:
    """The text of a file's first bytes; half a line at their end is left out unless they are the whole file.

    Raises:
        DataError: If it is empty or not UTF-8; with the line.
    """
    if not data.strip():
        raise DataError(f"'{path}' is empty.", fix="Give a file with rows in it.")
    if not whole and b"\n" in data:
        data = data[: data.rindex(b"\n") + 1]
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not whole and error.start >= len(data) - 3:
            return data[: error.start].decode("utf-8-sig")
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}:{line}: the text is not UTF-8.", fix=f"Convert it, e.g. iconv -f LATIN1 -t UTF-8 '{path.name}'."
        ) from error
