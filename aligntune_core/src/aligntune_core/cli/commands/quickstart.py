"""``aligntune quickstart``: a small model learns to answer, on two CPU cores in about a minute."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aligntune_core.cli.options import AsJson  # noqa: TC001 typer reads it

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.console.ink import Ink
    from aligntune_core.trainer import Trainer

JOB: dict[str, Any] = {
    "algorithm": "sft",
    "model_name": "builtin:tiny",
    "dataset_name": "builtin:instructions",
    "max_steps": 600,
    "batch_size": 16,
    "learning_rate": 2e-3,
    "lr_scheduler": "cosine",
    "warmup_steps": 20,
    "logging_steps": 20,
    "gradient_checkpointing": False,
}
"""The job that it trains."""

PROMPTS = ("What is the capital of Sweden?", "What is the opposite of loud?", "What sound does a cat make?")
"""What the model is asked before and after."""

OutputDir = Annotated[str, typer.Option("--output-dir", metavar="FOLDER", help="Where the trained model goes.")]


def quickstart(output_dir: OutputDir = "aligntune-output/quickstart", as_json: AsJson = False) -> None:
    """Train a small model that needs no download.

    It shows what the model answers before and after.
    """
    from aligntune_core.backends.registry import registry
    from aligntune_core.check.decide import decide
    from aligntune_core.cli.commands.answers import answers
    from aligntune_core.cli.screens.failure import say_why
    from aligntune_core.console.ink import Ink
    from aligntune_core.console.json_text import write_json
    from aligntune_core.console.progress import ConsoleProgress
    from aligntune_core.run.train import run

    told: dict[str, list[str]] = {"before": [], "after": []}

    verdict = decide({**JOB, "output_dir": output_dir})
    is_here = not verdict.backend or not registry().get(verdict.backend).environment

    def ask(when: str, trainer: Trainer) -> None:
        # a model in the process of another environment is not to be had
        told[when] = answers(trainer, PROMPTS) if is_here else []

    progress = ConsoleProgress()
    outcome = run(
        verdict,
        progress,
        before=lambda trainer: ask("before", trainer),
        after=lambda trainer: ask("after", trainer),
    )
    say_why(outcome, progress)
    talks = [
        {"prompt": prompt, "before": before, "after": after}
        for prompt, before, after in zip(PROMPTS, told["before"], told["after"], strict=False)
    ]
    if as_json:
        write_json({**outcome.to_dict(), "losses": progress.losses, "answers": talks}, one_line=True)
    elif outcome.status == "ok":
        ink = Ink(sys.stderr)
        for line in _lines(ink, talks, progress.losses, str(outcome.output_dir), outcome.backend):
            ink.say(line)
    raise typer.Exit(outcome.exit_code)


def _lines(ink: Ink, talks: list[dict[str, str]], losses: list[float], folder: str, backend: str) -> Iterator[str]:
    from aligntune_core.cli.screens.next_steps import preference_command
    from aligntune_core.console.sparkline import sparkline

    if talks:
        yield ""
        yield ink.style("What the model answers", "bold")
    for talk in talks:
        yield f"  {talk['prompt']}"
        yield ink.style(ink.wrap(talk["before"] or "(nothing)", "            ", "    before: "), "dim")
        yield ink.wrap(talk["after"] or "(nothing)", "            ", "    after:  ")
    if losses:
        yield ""
        yield ink.style("The loss", "bold")
        yield f"  {losses[0]:.3f} {sparkline(losses, symbols=ink.symbols)} {losses[-1]:.3f}"
    yield ""
    yield f"{ink.style('The model', 'bold')} is in {folder}."
    yield ""
    yield ink.style("What to try next", "bold")
    yield "  teach it what people prefer:"
    yield f"    {preference_command(folder, backend)}"
    yield "  see what can be trained here, and how:"
    yield "    aligntune capabilities"
    yield "  check a job of your own before anything is loaded:"
    yield "    aligntune check algorithm=sft model_name=MODEL dataset_name=FILE.jsonl"
