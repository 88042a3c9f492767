"""How each backend stands here: whether it can be used, why not, and what would make it usable."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aligntune_core.backends.registry import registry
from aligntune_core.console.ink import Ink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.backends.backend import Backend

_COLOURS = {"ready": "green", "missing": "yellow", "broken": "red", "disabled": "yellow"}
_WORDS = {True: "yes", False: "no", None: "-"}
_WORD_COLOURS = {True: "green", False: "red", None: "dim"}


def show(json: bool = False) -> None:
    """Write every backend's standing to standard output.

    Args:
        json: Write JSON.
    """
    if json:
        from aligntune_core.console.json_text import write_json

        write_json({name: each.to_dict() for name, each in registry().all(imported=False).items()}, depth=2)
        return
    sys.stdout.write("\n".join(backend_lines(Ink(sys.stdout), None, whole=True)).strip("\n") + "\n")


def backend_lines(ink: Ink, only: str | None = None, *, whole: bool = False) -> Iterator[str]:
    """Lines about each backend.

    Args:
        ink: For what they are written.
        only: The one backend to speak of; all if None.
        whole: Whether each says what it is and all that it needs; only what is wrong with it otherwise.
    """
    # a backend that is named is the only one that is imported
    known = registry()
    found = {only: known.declared(only)} if only else known.all(imported=False)
    names = max((len(name) for name in (*found, "backend")), default=0)
    versions = max((len(backend.version) for backend in found.values()), default=0)
    yield ""
    yield ink.style(f"{'backend'.ljust(names)}  {'status'.ljust(8)}  version", "bold")
    for name, backend in found.items():
        status = ink.style(str(backend.status), _COLOURS[backend.status]) + " " * (8 - len(backend.status))
        yield f"{name.ljust(names)}  {status}  {backend.version.ljust(versions)}".rstrip()
        if backend.environment and not whole:
            yield ink.wrap(f"it lives in the environment '{backend.environment.name}'", "    ")
        if whole and backend.info:
            yield ink.wrap(backend.info.summary, "    ")
        for note in backend.notes:
            yield ink.wrap(f"{note.message}. {note.fix}", "    ")
        yield from _need_lines(backend, ink) if whole else _fault_lines(backend, ink)
        if backend.install and not backend.ready:
            word = "uninstall" if backend.install.startswith("pip uninstall") else "install"
            yield f"    {word}: {backend.install}"


def _need_lines(backend: Backend, ink: Ink) -> Iterator[str]:
    for each in backend.standing:
        word, label = _WORDS[each.yes], f"    {each.question.ljust(9)}  "
        reason = ink.wrap(each.reason, " " * (len(label) + 5), f"{label}{word.ljust(3)}  ")
        yield label + ink.style(word, _WORD_COLOURS[each.yes]) + reason[len(label) + len(word) :]


def _fault_lines(backend: Backend, ink: Ink) -> Iterator[str]:
    faults = [each.reason for each in backend.standing if each.yes is False]
    for reason in dict.fromkeys([backend.reason, *faults] if backend.reason else faults):
        yield ink.wrap(reason, "    ")
