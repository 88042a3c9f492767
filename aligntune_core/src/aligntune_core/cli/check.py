"""``aligntune check``: whether a job would run, and everything that is wrong with it."""

from __future__ import annotations

import sys

import typer

from aligntune_core.cli.arguments import AsJson, JobWords, judge


def check(words: JobWords = None, as_json: AsJson = False) -> None:
    """Say whether a job would run, and all that is wrong.

    Nothing is trained, and no model is loaded.
    """
    from aligntune_core.cli.ink import Ink
    from aligntune_core.cli.jsontext import write_json
    from aligntune_core.cli.verdicts import verdict_lines

    verdict = judge(words or [])
    if as_json:
        write_json(verdict.to_dict())
    else:
        sys.stdout.write("\n".join(verdict_lines(verdict, Ink(sys.stdout))) + "\n")
    raise typer.Exit(0 if verdict.ok else 2)
