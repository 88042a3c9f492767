"""The support matrix as Markdown, for the README and the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.capabilities import Support
from aligntune_core.cli.screens.matrix import every_algorithm, numbered_notes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.backends.queries import CapabilityRow


def markdown_lines(rows: list[CapabilityRow]) -> Iterator[str]:
    """A table with a row for each algorithm and a column for each backend, and the notes as a list below it."""
    notes = numbered_notes(rows)
    cells = {(row.algorithm, row.backend): _cell(row, notes) for row in rows}
    backends = list(dict.fromkeys(row.backend for row in rows))
    present = {row.algorithm for row in rows}
    yield f"| Algorithm | | {' | '.join(backends)} |"
    yield "|---|---|" + "---|" * len(backends)
    for each in every_algorithm():
        if each.name in present:
            columns = [f"`{each.name}`", each.title, *(cells.get((each.name, backend), "-") for backend in backends)]
            yield f"| {' | '.join(columns)} |"
    if notes:
        yield ""
    for (backend, note), number in notes.items():
        yield f"{number}. {backend}: {note}."


def _cell(row: CapabilityRow, notes: dict[tuple[str, str], int]) -> str:
    word = "no" if row.support is Support.UNSUPPORTED else str(row.support)
    number = notes.get((row.backend, row.note))
    return f"{word} ({number})" if number else word
