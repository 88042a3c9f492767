"""The rows of JSON files, one after another, each with its line; the first fault is told by its line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SPACE = " \t\n\r"
_DECODER = json.JSONDecoder()


def read_rows(text: str, path: Path, *, whole: bool) -> Iterator[dict[str, Any]]:
    """The rows of a JSON file: a list of objects, or one object on each line.

    Args:
        text: What is in the file, or how it begins.
        path: The file, for messages.
        whole: Whether ``text`` is all of it; if not, a list may break off.

    Raises:
        DataError: If it is neither, or not JSON; with the line.
    """
    if text.lstrip()[:1] == "[":
        return _listed_rows(text, path, whole=whole)
    if not whole and "\n" not in text:
        return iter(())
    return _line_rows(text, path)


def _line_rows(text: str, path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line or line.isspace():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            if number == 1 and line.strip() == "{":
                raise _not_a_list(path) from error
            raise _broken(path, number, error) from error
        if not isinstance(row, dict):
            raise _no_object(path, number, row)
        yield row


def _listed_rows(text: str, path: Path, *, whole: bool) -> Iterator[dict[str, Any]]:
    at = _skip(text, text.index("[") + 1)
    if whole and text[at : at + 1] == "]" and not text[at + 1 :].strip():
        return
    while at < len(text) or whole:
        try:
            row, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            if not whole and _breaks_off(text, error):
                return
            raise _broken(path, _line(text, getattr(error, "pos", at)), error) from error
        if not isinstance(row, dict):
            raise _no_object(path, _line(text, at), row)
        yield row
        end = _skip(text, end)
        if text[end : end + 1] == "]":
            if text[end + 1 :].strip():
                raise _broken(path, _line(text, _skip(text, end + 1)), "there is more after the list's end")
            return
        if end < len(text) and text[end] != ",":
            raise _broken(path, _line(text, end), "a comma or the list's end is expected")
        if end >= len(text) and whole:
            raise _broken(path, _line(text, end), "the list has no end")
        at = _skip(text, end + 1)


def _breaks_off(text: str, error: ValueError | RecursionError) -> bool:
    if not isinstance(error, json.JSONDecodeError):
        return False
    return error.msg.startswith("Unterminated") or error.pos >= len(text.rstrip()) - 12


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


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
