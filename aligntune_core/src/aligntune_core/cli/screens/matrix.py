"""The support matrix, algorithms by backends: for people, for programs, and for the README."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aligntune_core.backends.queries import capabilities
from aligntune_core.backends.registry import registry
from aligntune_core.capabilities import Support
from aligntune_core.cli.screens.backends import backend_lines
from aligntune_core.console.ink import Ink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.algorithms import Algorithm
    from aligntune_core.backends.queries import CapabilityRow

_NOT_DECLARED = "not declared"


def show(
    *,
    backend: str | None = None,
    algorithm: str | None = None,
    task: str | None = None,
    device: str | None = None,
    feature: str | None = None,
    usable: bool = False,
    json: bool = False,
    markdown: bool = False,
) -> None:
    """Write the matrix to standard output.

    Args:
        backend: Only this backend.
        algorithm: Only this algorithm, by name or alias.
        task: Only this task's algorithms.
        device: Only what is declared on this device.
        feature: Only what is declared with this feature, or with all of several with commas between them.
        usable: Only what can be used here.
        json: Write JSON.
        markdown: Write a Markdown table of what is declared; unless ``usable``, the same in every environment with the
            same plugins.

    Raises:
        AlignTuneError: If there is no such backend, algorithm, task, device or feature.
    """
    rows = capabilities(
        backend=backend, algorithm=algorithm, task=task, device=device, features=feature or "", usable=usable
    )
    backend = registry().spelt(backend) if backend else None
    narrowed = bool(task or device or feature or usable)
    nothing = f"No backend that is installed {'and can be used here ' if usable else ''}declares that."
    if json:
        from aligntune_core.console.json_text import write_json

        found = registry().all(imported=False) if backend is None else {backend: registry().declared(backend)}
        standing = {name: each.to_dict() for name, each in found.items()}
        write_json({"backends": standing, "capabilities": [row.to_dict() for row in rows]}, depth=2)
    elif markdown:
        sys.stdout.write("\n".join(_markdown_lines(rows) if rows or not narrowed else [nothing]) + "\n")
    else:
        ink = Ink(sys.stdout)
        lines = [*_lines(rows, ink)] if rows or not narrowed else [nothing]
        lines += backend_lines(ink, backend)
        if rows and (backend or algorithm or narrowed):
            lines += _feature_lines(rows, ink)
        sys.stdout.write("\n".join(lines).strip("\n") + "\n")


def _every_algorithm(rows: list[CapabilityRow]) -> tuple[Algorithm, ...]:
    """The core's algorithms and those of the rows' backends, in the order in which tables have them."""
    return registry().algorithms(dict.fromkeys(row.backend for row in rows))


def _numbered_notes(rows: list[CapabilityRow]) -> dict[tuple[str, str], int]:
    """A number for each note that says more than that nothing is declared, by backend and note."""
    notes = dict.fromkeys((row.backend, row.note) for row in rows if row.note and row.note != _NOT_DECLARED)
    return {note: number for number, note in enumerate(notes, 1)}


def _lines(rows: list[CapabilityRow], ink: Ink) -> Iterator[str]:
    notes = _numbered_notes(rows)
    cells = {(row.algorithm, row.backend): _cell(row, notes) for row in rows}
    present = {row.algorithm: row.task for row in rows}
    tasks = {each.name: present[each.name] for each in _every_algorithm(rows) if each.name in present}
    heads = [max(len(text) for text in ("algorithm", *tasks)), max(len(text) for text in ("task", *tasks.values()))]
    widths = {
        backend: max(len(backend), *(len(cells.get((algorithm, backend), "-")) for algorithm in tasks))
        for backend in dict.fromkeys(row.backend for row in rows)
    }
    for backends in _chunks(widths, ink.width - sum(heads) - 4):
        columns = [*heads, *(widths[backend] for backend in backends)]
        yield ""
        yield ink.style(_row(["algorithm", "task", *backends], columns), "bold")
        for algorithm, task in tasks.items():
            yield _row([algorithm, task, *(cells.get((algorithm, backend), "-") for backend in backends)], columns)
    if rows:
        yield ""
    for (backend, note), number in notes.items():
        yield ink.wrap(f"{backend}: {note}", "    ", f"[{number}] ")
    if any(row.note == _NOT_DECLARED for row in rows):
        yield "-   not supported"
    elif len(rows) < len(tasks) * len(widths):
        yield "-   does not match"


def _cell(row: CapabilityRow, notes: dict[tuple[str, str], int]) -> str:
    if row.support is Support.UNSUPPORTED and row.note == _NOT_DECLARED:
        return "-"
    word = "no" if row.support is Support.UNSUPPORTED else str(row.support)
    number = notes.get((row.backend, row.note))
    return f"{word} [{number}]" if number else word


def _chunks(widths: dict[str, int], room: int) -> Iterator[list[str]]:
    """Backends in groups whose columns fit beside each other."""
    chunk: list[str] = []
    for backend, width in widths.items():
        if chunk and sum(widths[each] + 2 for each in chunk) + width > room:
            yield chunk
            chunk = []
        chunk.append(backend)
    if chunk:
        yield chunk


def _row(cells: list[str], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _feature_lines(rows: list[CapabilityRow], ink: Ink) -> Iterator[str]:
    yield ""
    yield ink.style("features", "bold")
    by_features: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for row in rows:
        if row.features:
            by_features.setdefault((row.backend, tuple(map(str, row.features))), []).append(row.algorithm)
    for (backend, features), algorithms in by_features.items():
        yield ink.wrap(f"{backend} {', '.join(algorithms)}: {', '.join(features)}", "    ", "  ")


def _markdown_lines(rows: list[CapabilityRow]) -> Iterator[str]:
    """A table with a row for each algorithm and a column for each backend, and the notes as a list below it."""
    notes = _numbered_notes(rows)
    cells = {(row.algorithm, row.backend): _markdown_cell(row, notes) for row in rows}
    backends = list(dict.fromkeys(row.backend for row in rows))
    present = {row.algorithm for row in rows}
    yield f"| Algorithm | | {' | '.join(backends)} |"
    yield "|---|---|" + "---|" * len(backends)
    for each in _every_algorithm(rows):
        if each.name in present:
            columns = [f"`{each.name}`", each.title, *(cells.get((each.name, backend), "-") for backend in backends)]
            yield f"| {' | '.join(columns)} |"
    if notes:
        yield ""
    for (backend, note), number in notes.items():
        yield f"{number}. {backend}: {note}."


def _markdown_cell(row: CapabilityRow, notes: dict[tuple[str, str], int]) -> str:
    word = "no" if row.support is Support.UNSUPPORTED else str(row.support)
    number = notes.get((row.backend, row.note))
    return f"{word} ({number})" if number else word
