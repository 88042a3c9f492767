"""How each backend stands here: whether it can be used, why not, and what would make it usable."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aligntune_core.cli.ink import Ink
from aligntune_core.plugins import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLOURS = {"ready": "green", "missing": "yellow", "broken": "red", "disabled": "yellow"}


def show(json: bool = False) -> None:
    """Write every backend's standing to standard output.

    Args:
        json: Write JSON.
    """
    if json:
        from aligntune_core.cli.jsontext import write_json

        write_json({name: found.to_dict() for name, found in registry().all().items()})
        return
    sys.stdout.write("\n".join(backend_lines(Ink(sys.stdout), None, summaries=True)).strip("\n") + "\n")


def backend_lines(ink: Ink, only: str | None = None, *, summaries: bool = False) -> Iterator[str]:
    """Lines about each backend.

    Args:
        ink: For what they are written.
        only: The one backend to speak of; all if None.
        summaries: Whether each says what it is.
    """
    found = {name: backend for name, backend in registry().all().items() if only in {None, name}}
    names = max((len(name) for name in (*found, "backend")), default=0)
    versions = max((len(backend.version) for backend in found.values()), default=0)
    yield ""
    yield ink.style(f"{'backend'.ljust(names)}  {'status'.ljust(8)}  version", "bold")
    for name, backend in found.items():
        status = ink.style(str(backend.status), _COLOURS[backend.status]) + " " * (8 - len(backend.status))
        yield f"{name.ljust(names)}  {status}  {backend.version.ljust(versions)}".rstrip()
        if summaries and backend.info:
            yield ink.wrap(backend.info.summary, "    ")
        if backend.reason:
            yield ink.wrap(backend.reason, "    ")
        if backend.install and not backend.ready:
            word = "uninstall" if backend.install.startswith("pip uninstall") else "install"
            yield f"    {word}: {backend.install}"
