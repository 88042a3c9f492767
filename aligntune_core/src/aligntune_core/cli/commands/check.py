"""``aligntune check``: whether a job would run, and everything that is wrong with it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from aligntune_core.cli.arguments import AsJson, JobWords, judge

Fast = Annotated[bool, typer.Option("--fast", help="Don't read the data: half a second, and no engine's library.")]
Probe = Annotated[bool, typer.Option("--probe", help="Also load the model and take two steps on the first rows.")]


def check(words: JobWords = None, fast: Fast = False, probe: Probe = False, as_json: AsJson = False) -> None:
    """Say whether a job would run, and all that is wrong.

    It also says what the run would do, and reads the data as the model would see it. No weights are
    loaded but with --probe.
    """
    from aligntune_core.cli.screens.verdict import verdict_lines
    from aligntune_core.console.ink import Ink
    from aligntune_core.console.json_text import write_json
    from aligntune_core.run.stdout import standard_output_kept_clear

    if fast and probe:
        raise typer.BadParameter("--fast and --probe ask for opposite things.")
    # reward functions and engines may print, and a program reads what is written here
    with standard_output_kept_clear():
        verdict = judge(words or [], level="fast" if fast else "probe" if probe else "data")
    if as_json:
        write_json(verdict.to_dict())
    else:
        sys.stdout.write("\n".join(verdict_lines(verdict, Ink(sys.stdout))) + "\n")
    raise typer.Exit(0 if verdict.ok else 2)
