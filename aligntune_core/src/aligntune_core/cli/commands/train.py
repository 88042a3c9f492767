"""``aligntune train``: trains a job."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from aligntune_core.cli.arguments import judge
from aligntune_core.cli.options import AsJson, JobWords  # noqa: TC001 typer reads them

Merge = Annotated[bool, typer.Option("--merge", help="Save LoRA adapters folded into the model's weights.")]


Isolation = Annotated[
    str, typer.Option("--isolation", metavar="process", help="Run the engine in a process of its own.")
]


def train(words: JobWords = None, as_json: AsJson = False, merge: Merge = False, isolation: Isolation = "") -> None:
    """Train a job.

    What happens is told on standard error.
    """
    from aligntune_core.cli.screens.failure import say_why
    from aligntune_core.cli.screens.next_steps import use_lines
    from aligntune_core.console.ink import Ink
    from aligntune_core.console.json_text import write_json
    from aligntune_core.console.progress import ConsoleProgress
    from aligntune_core.run.process.ahead import started_ahead
    from aligntune_core.run.train import run

    words = [*(words or []), *([f"isolation={isolation}"] if isolation else [])]
    progress = ConsoleProgress()
    with started_ahead({"isolation": "process" if "isolation=process" in words else None}) as child:
        verdict = judge(words)
        outcome = run(verdict, progress, merge=merge, child=child)
    say_why(outcome, progress)
    if as_json:
        write_json(outcome.to_dict(), one_line=True)
    elif outcome.status == "ok":
        ink = Ink(sys.stderr)
        for line in use_lines(verdict, outcome):
            ink.say(line)
    raise typer.Exit(outcome.exit_code)
