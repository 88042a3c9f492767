"""A converted row of a dataset in words: who says what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.console.ink import Ink

MOST_CHARACTERS = 240
MOST_TURNS = 6


def row_lines(row: Mapping[str, Any], ink: Ink) -> Iterator[str]:
    """Lines that show a row, long texts cut short.

    Args:
        row: The row; a value is a text, or a list of messages with ``role`` and ``content``.
        ink: For what they are written.
    """
    for key, value in row.items():
        if isinstance(value, list) and all(isinstance(turn, Mapping) and "content" in turn for turn in value):
            yield f"    {key}"
            for turn in value[:MOST_TURNS]:
                yield _line(str(turn.get("role", "?")), turn["content"], "      ", ink)
            if len(value) > MOST_TURNS:
                yield f"      and {len(value) - MOST_TURNS} more turns"
        else:
            yield _line(key, value, "    ", ink)


def _line(name: str, value: object, indent: str, ink: Ink) -> str:
    text = " ".join(str(value).split())
    if len(text) > MOST_CHARACTERS:
        text = text[:MOST_CHARACTERS].rstrip() + ("…" if ink.symbols else "...")
    return ink.wrap(f"{name}: {text}", f"{indent}  ", indent)
