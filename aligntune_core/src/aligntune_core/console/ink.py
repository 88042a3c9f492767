"""Text for people on a stream: its width, its colours, and what it can show."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
_SYMBOLS = "▁█━…"


class Ink:
    """Writes lines to a stream as that stream can show them.

    Colours are used on a terminal only, and not where ``NO_COLOR`` is set. Control characters that come from a job or a
    dataset are written as escapes.

    Args:
        stream: Where the lines go.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.terminal = stream.isatty()
        self._colours = self.terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._gone = False

    @property
    def symbols(self) -> bool:
        """Whether the stream's encoding has bars and blocks."""
        try:
            _SYMBOLS.encode(self.stream.encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    @property
    def width(self) -> int:
        """Columns of a table: those of the terminal, or of ``COLUMNS``, or 80."""
        return self._columns() or 80

    def style(self, text: str, *styles: str) -> str:
        """The text in a style: ``bold``, ``dim``, ``red``, ``green`` or ``yellow``."""
        if not self._colours or not styles:
            return text
        return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"

    def wrap(self, text: str, indent: str = "", first: str | None = None) -> str:
        """The text in lines that fit, each indented; in a file, where lines have no end, it is only indented.

        Args:
            text: The text; it may have several lines.
            indent: What comes before each line.
            first: What comes before the first line instead.
        """
        import textwrap

        width = max(self._columns() or 10_000, len(indent) + 20)
        lead = indent if first is None else first
        lines: list[str] = []
        for line in printable(text).splitlines() or [""]:
            lines += textwrap.wrap(
                line,
                width,
                initial_indent=indent if lines else lead,
                subsequent_indent=indent,
                break_on_hyphens=False,
                break_long_words=False,
            ) or [""]
        return "\n".join(lines)

    def labelled(self, label: str, text: str, *styles: str) -> str:
        """The text in lines that fit, after a label in a style; further lines are indented."""
        return self.style(label, *styles) + self.wrap(text, "  ", f"{label} ")[len(label) :]

    def say(self, text: str = "") -> None:
        """Write a line; a reader that has gone away is no reason to fail."""
        if self._gone:
            return
        try:
            self.stream.write(text + "\n")
            self.stream.flush()
        except BrokenPipeError:
            self._gone = True

    def _columns(self) -> int | None:
        told = os.environ.get("COLUMNS", "")
        if told.isdecimal() and int(told) > 0:
            return int(told)
        if self.terminal:
            try:
                return os.get_terminal_size(self.stream.fileno()).columns or 80
            except (OSError, ValueError):
                return 80
        return None


def printable(text: str) -> str:
    """The text with control characters written as escapes, so that data can't steer a terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return "  " if char == "\t" else repr(char)[1:-1]
