"""What to do with a model that was trained: loading it, and training it further."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from aligntune_core.algorithms import Task, find_algorithm
from aligntune_core.backends.queries import supports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.check.verdict import Verdict
    from aligntune_core.run.outcome import Outcome


def use_lines(verdict: Verdict, outcome: Outcome) -> Iterator[str]:
    """Lines that say how the trained model is used next."""
    folder = outcome.output_dir or ""
    algorithm = find_algorithm(outcome.algorithm or "")
    yield ""
    yield "Use it in Python:"
    yield "  from transformers import pipeline"
    if algorithm and algorithm.task is Task.REWARD:
        yield f"  pipeline('text-classification', {folder!r}, function_to_apply='none')('a text to score')"
        return
    yield f"  chat = pipeline('text-generation', {folder!r})"
    yield "  chat([{'role': 'user', 'content': 'Hello!'}])[0]['generated_text'][-1]['content']"
    if algorithm and algorithm.task is Task.SFT and supports(verdict.backend, "dpo"):
        yield "Train it further, on what people prefer:"
        yield f"  {preference_command(folder, verdict.backend)}"


def preference_command(folder: str, backend: str) -> str:
    """A command that trains the model in a folder on the preferences that come with AlignTune."""
    words = (
        "algorithm=dpo",
        f"backend={backend}",
        f"model_name={folder}",
        "dataset_name=builtin:preferences",
        f"output_dir={folder.rstrip('/')}-dpo",
    )
    return f"aligntune train {shlex.join(words)}"
