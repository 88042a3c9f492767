"""The small datasets that come with AlignTune, so that every algorithm can be tried with no download."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aligntune_core.errors import DataError
from aligntune_core.wording import did_you_mean

PREFIX = "builtin:"

BUILTIN_DATASETS = {
    "instructions": "instruction, input, output: facts and words in one short sentence",
    "preferences": "prompt, chosen, rejected: a polite right answer and a rude one",
    "arithmetic": "question, answer: sums and differences, the result after ####",
}
"""The names after ``builtin:`` and what each holds."""

SPLITS = ("train", "test")


def builtin_rows(name: str, split: str = "train") -> list[dict[str, Any]]:
    """The rows of a dataset that comes with AlignTune.

    Args:
        name: ``builtin:NAME``.
        split: ``train``, or ``test`` for the rows held out.

    Raises:
        DataError: If there is no such dataset or split.
    """
    short = name.removeprefix(PREFIX)
    if short not in BUILTIN_DATASETS:
        raise DataError(f"there is no built-in dataset '{name}'.", fix=did_you_mean(short, BUILTIN_DATASETS))
    if split not in SPLITS:
        raise DataError(f"'{name}' has no split '{split}'.", fix=did_you_mean(split, SPLITS))
    lines = (Path(__file__).parent / "builtin" / f"{short}.{split}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in lines.splitlines()]


def all_texts() -> list[str]:
    """Every text in the datasets that come with AlignTune, in a fixed order: what a small tokenizer is made from."""
    return [
        text
        for name in BUILTIN_DATASETS
        for split in SPLITS
        for row in builtin_rows(name, split)
        for text in row.values()
        if text
    ]
