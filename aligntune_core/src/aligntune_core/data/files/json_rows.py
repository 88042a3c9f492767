"""The rows of JSON files, one after another, each with its line; the first fault is told by its line."""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, Any

from aligntune_core.data.files.content import BLOCK, no_rows, not_utf8, too_long
from aligntune_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aligntune_core.data.files.content import Source

_SPACE = " \t\n\r"
_MARK = b"\xef\xbb\xbf"
_SPACES = re.compile(f"[{_SPACE}]*")
_DECODER = json.JSONDecoder()


def json_rows(source: Source) -> Iterator[dict[str, Any]]:
    """The rows of a JSON file: a list of objects, or one object on each line.

    Args:
        source: The file, opened.

    Raises:
        DataError: If it is neither, or not JSON; with the line.
    """
    start = source.start()
    if not start.removeprefix(_MARK).lstrip().startswith(b"["):
        return _line_rows(source)
    if start.startswith(_MARK):
        raise DataError(f"'{source.path}' begins with a byte order mark.", fix="Save it as UTF-8 without one.")
    return _listed_rows(source)


def _line_rows(source: Source) -> Iterator[dict[str, Any]]:
    decode = _DECODER.raw_decode
    number = 0
    for text in source.lines():
        for line in (text.replace("\r\n", "\n") if "\r\n" in text else text).split("\n"):
            number += 1
            try:
                row, end = decode(line)
                if end != len(line):
                    row = json.loads(line)
            except (ValueError, RecursionError):
                if not line or line.isspace():
                    continue
                row = _loaded(line, number, source.path)
            if not isinstance(row, dict):
                raise _no_object(source.path, number, row)
            yield row


def _loaded(line: str, number: int, path: Path) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        if number == 1 and line.strip() == "{":
            raise _not_a_list(path) from error
        raise _broken(path, number, error) from error


class _Window:
    """The part of a file's text that is looked at.

    Args:
        source: The file, opened.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = ""
        self.line = 1
        self.is_whole = False
        self.fault: DataError | None = None
        self._decode = codecs.getincrementaldecoder("utf-8")().decode

    def slide(self, at: int) -> bool:
        """Leave out what stands before ``at`` and read on; whether anything was added."""
        self.line += self.text.count("\n", 0, at)
        self.text = self.text[at:]
        if self.is_whole:
            return False
        if len(self.text) > self.source.limits.row:
            begin = max(self.text.find("{"), 0)
            raise too_long(self.source.path, self.line_of(begin), self.source.limits)
        data = self.source.read(max(BLOCK, len(self.text)))
        self.is_whole = not data
        try:
            self.text += self._decode(data, not data)
        except UnicodeDecodeError as error:
            self.text += error.object[: error.start].decode()
            self.fault = not_utf8(self.source.path, self.line_of(len(self.text)))
            self.is_whole = True
        return True

    def line_of(self, at: int) -> int:
        """The line of a place in the text."""
        return self.line + self.text.count("\n", 0, at)

    def broken(self, at: int, why: object) -> DataError:
        """The error of what stands at a place."""
        return self.fault if self.fault and self.is_whole else _broken(self.source.path, self.line_of(at), why)


def _listed_rows(source: Source) -> Iterator[dict[str, Any]]:
    window, decode, longest = _Window(source), _DECODER.raw_decode, source.limits.row // 4
    window.slide(0)
    text, at, before = window.text, window.text.index("[") + 1, ""
    while True:
        begin = text.find("{", at)
        if begin < 0 or text[at:begin].strip(_SPACE) != before:
            found = _next(window, at, before)
            if found is None:
                break
            at, begin = found
            text = window.text
        try:
            row, end = decode(text, begin)
        except (ValueError, RecursionError) as error:
            if not _breaks_off(text, error) or not window.slide(at):
                raise window.broken(getattr(error, "pos", begin), error) from error
            text, at = window.text, 0
            continue
        if end - begin > longest and len(text[begin:end].encode()) > source.limits.row:
            raise too_long(source.path, window.line_of(begin), source.limits)
        yield row
        at, before = end, ","
    if not before:
        raise no_rows(source.path)


def _next(window: _Window, at: int, before: str) -> tuple[int, int] | None:
    """From where the next row is looked for and where it begins, after reading on if need be; None after the last."""
    while True:
        text = window.text
        why: str | ValueError | RecursionError = "the list has no end"
        begin = _skip(text, at)
        if text[begin : begin + 1] == "]":
            _expect_end(window, begin + 1)
            return None
        if before and begin < len(text):
            if text[begin] != before:
                raise window.broken(begin, "a comma or the list's end is expected")
            begin = _skip(text, begin + 1)
        if text[begin : begin + 1] == "{":
            return at, begin
        try:
            row, end = _DECODER.raw_decode(text, begin)
        except (ValueError, RecursionError) as error:
            if begin < len(text):
                why = error
                if not _breaks_off(text, error):
                    raise window.broken(getattr(error, "pos", begin), why) from error
        else:
            if end < len(text) or window.is_whole:
                raise _no_object(window.source.path, window.line_of(begin), row)
        if not window.slide(at):
            raise window.broken(getattr(why, "pos", len(window.text)), why)
        at = 0


def _expect_end(window: _Window, at: int) -> None:
    while True:
        end = _skip(window.text, at)
        if end < len(window.text):
            raise window.broken(end, "there is more after the list's end")
        if not window.slide(end):
            if window.fault:
                raise window.fault
            return
        at = 0


def _breaks_off(text: str, error: ValueError | RecursionError) -> bool:
    if not isinstance(error, json.JSONDecodeError):
        return False
    return error.msg.startswith("Unterminated") or error.pos >= len(text.rstrip()) - 12


def _skip(text: str, at: int) -> int:
    found = _SPACES.match(text, at)
    return found.end() if found else at


def _broken(path: Path, line: int, why: object) -> DataError:
    if isinstance(why, RecursionError):
        why = "it is nested too deeply"
    elif isinstance(why, ValueError) and not isinstance(why, json.JSONDecodeError):
        why = "a number has too many digits"
    return DataError(
        f"{path}:{line}: this is not JSON: {getattr(why, 'msg', why)}.", fix="Repair the line or take it out."
    )


def _no_object(path: Path, line: int, row: object) -> DataError:
    return DataError(
        f"{path}:{line}: a row is {json.dumps(row)[:60]}, not an object with columns.",
        fix='Each row looks like {"column": "value", ...}.',
    )


def _not_a_list(path: Path) -> DataError:
    return DataError(
        f"'{path}' does not hold a list of objects, nor one object on each line.",
        fix='Write the rows as [{"column": "value"}, ...], or one {...} on each line.',
    )
