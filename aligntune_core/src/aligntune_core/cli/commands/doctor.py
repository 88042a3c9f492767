"""``aligntune doctor``: what stands in the way on this machine and in this environment."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from aligntune_core.cli.options import AsJson  # noqa: TC001 typer reads it

Offline = Annotated[bool, typer.Option("--offline", help="Do not ask the hub whether it can be reached.")]


def doctor(as_json: AsJson = False, offline: Offline = False) -> None:
    """Say what stands in the way of training here.

    It looks at the machine, its GPUs, the backends and their packages, this process and the hub, and imports no engine.
    What it writes may be shown to others: no token, password or user's folder is in it.

    Exits with 0 if at least one backend can train on the device where jobs run here, the GPU if there is one; with 1
    if none can. Warnings do not count.
    """
    from aligntune_core.cli.screens.doctor import report_lines
    from aligntune_core.console.ink import Ink
    from aligntune_core.console.json_text import write_json
    from aligntune_core.doctor.look import doctor as examine

    found = examine(network=not offline)
    if as_json:
        write_json(found.to_dict())
    else:
        sys.stdout.write("\n".join(report_lines(found, Ink(sys.stdout))) + "\n")
    raise typer.Exit(0 if found.ok else 1)
