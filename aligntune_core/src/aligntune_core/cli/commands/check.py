"""``aligntune check``: whether a job would run, and everything that is wrong with it."""

from __future__ import annotations

from typing import Annotated

import typer

from aligntune_core.cli.options import AsJson, JobWords  # noqa: TC001 typer reads them
from aligntune_core.cli.screens.verdict import show

Fast = Annotated[bool, typer.Option("--fast", help="Don't read the data: half a second, and no engine's library.")]
Probe = Annotated[bool, typer.Option("--probe", help="Also load the model and take two steps on the first rows.")]


def check(words: JobWords = None, fast: Fast = False, probe: Probe = False, as_json: AsJson = False) -> None:
    """Say whether a job would run, and all that is wrong.

    It also says what the run would do, and reads the data as the model would see it. No weights are
    loaded but with --probe.
    """
    if fast and probe:
        raise typer.BadParameter("--fast and --probe ask for opposite things.")
    raise typer.Exit(show(words or [], level="fast" if fast else "probe" if probe else "data", as_json=as_json))
