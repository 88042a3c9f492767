"""The program that asks one plugin alone in its process: takes a name and a module, and writes what it says as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

from aligntune_core.backends.backend import Status
from aligntune_core.backends.engines import imported_engines
from aligntune_core.backends.installed import Distribution, FoundEntryPoint
from aligntune_core.backends.objections import diagnosed
from aligntune_core.backends.recorded import to_values
from aligntune_core.backends.registry import Registry

_OF_THE_MODULE = frozenset({"backend-side-effect", "backend-hook"})
"""Notes that only importing a plugin tells; others follow from what it says."""


def _main(name: str, value: str) -> None:
    known = Registry([FoundEntryPoint(name, value, Distribution("", ""))], environ={})
    backend = known.get(name)
    told: dict[str, Any] = {"broken": backend.reason if backend.status is Status.BROKEN else ""}
    if not told["broken"]:
        told |= {
            "said": to_values(known.said(name)),
            "engines": sorted(imported_engines()),
            "notes": [note.to_dict() for note in backend.notes if note.code in _OF_THE_MODULE],
            "ill": [problem.to_dict() for problem in diagnosed(backend, known)] if backend.ready else [],
        }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    _main(*sys.argv[1:3])
