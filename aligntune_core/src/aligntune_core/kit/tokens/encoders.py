"""Canonical rows as sequences of tokens, the same that TRL makes of them, many rows at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import DatasetKind
from aligntune_core.encoding import Encoded
from aligntune_core.kit.tokens.conversations import encode_conversations
from aligntune_core.kit.tokens.ids import common_prefix, ids_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Rows = Sequence[Mapping[str, Any]]
    Encoder = Callable[[Any, Rows], list[list[Encoded]]]


def encode_demonstrations(tokenizer: Any, rows: Rows) -> list[list[Encoded]]:
    """Texts, which are learned whole; conversations, of which the assistant's turns are; prompts with their answers.

    Args:
        tokenizer: The model's tokenizer.
        rows: Canonical rows, whose prompts and answers are all texts or all messages.
    """
    if rows[0].get("text") is not None:
        texts = ids_of(tokenizer, [_ended(row["text"], tokenizer) for row in rows])
        return [[Encoded(ids, [1] * len(ids))] for ids in texts]
    if rows[0].get("messages") is not None:
        return [[each] for each in encode_conversations([row["messages"] for row in rows], tokenizer, _tools(rows))]
    return encode_labelled(tokenizer, rows)


def encode_whole_demonstrations(tokenizer: Any, rows: Rows) -> list[list[Encoded]]:
    """The same, all of it learned from: prompts too.

    Args:
        tokenizer: The model's tokenizer.
        rows: Canonical rows, whose prompts and answers are all texts or all messages.
    """
    return [
        [replace(each, learned=[1] * len(each.ids), prompt_differs=False) for each in row]
        for row in encode_demonstrations(tokenizer, rows)
    ]


def encode_labelled(tokenizer: Any, rows: Rows) -> list[list[Encoded]]:
    """Prompts with an answer each, of which the answers are learned.

    Args:
        tokenizer: The model's tokenizer.
        rows: Canonical rows, whose prompts and answers are all texts or all messages.
    """
    asked = ids_of(tokenizer, [row["prompt"] for row in rows], _tools(rows), asks=True)
    return [[each] for each in _answered(tokenizer, rows, asked, "completion")]


def encode_pairs(tokenizer: Any, rows: Rows) -> list[list[Encoded]]:
    """Prompts with two answers each; both begin where the first of them does.

    Args:
        tokenizer: The model's tokenizer.
        rows: Canonical rows, whose prompts and answers are all texts or all messages.
    """
    asked = ids_of(tokenizer, [row["prompt"] for row in rows], _tools(rows), asks=True)
    found = []
    for pair in zip(*(_answered(tokenizer, rows, asked, name) for name in ("chosen", "rejected")), strict=True):
        start = min(len(each.ids) - sum(each.learned) for each in pair)
        found.append([replace(each, learned=[0] * start + [1] * (len(each.ids) - start)) for each in pair])
    return found


def encode_judged_pairs(tokenizer: Any, rows: Rows) -> list[list[Encoded]]:
    """What a reward model reads: it scores the whole.

    Args:
        tokenizer: The model's tokenizer.
        rows: Canonical rows, whose prompts and answers are all texts or all messages.
    """
    return [
        [Encoded(each.ids, [1] * len(each.ids), each.name) for each in pair] for pair in encode_pairs(tokenizer, rows)
    ]


def encode_prompts(tokenizer: Any, rows: Rows) -> list[list[Encoded]]:
    """Prompts, which the model answers itself.

    Args:
        tokenizer: The model's tokenizer.
        rows: Canonical rows, whose prompts and answers are all texts or all messages.
    """
    asked = ids_of(tokenizer, [row["prompt"] for row in rows], _tools(rows), asks=True)
    return [[Encoded(ids, [0] * len(ids))] for ids in asked]


ENCODERS: Mapping[DatasetKind, Encoder] = {
    DatasetKind.DEMONSTRATIONS: encode_demonstrations,
    DatasetKind.PAIRS: encode_pairs,
    DatasetKind.LABELLED: encode_labelled,
    DatasetKind.PROMPTS: encode_prompts,
}
"""By the kind of rows; what scores texts reads pairs in its own way."""


def _answered(tokenizer: Any, rows: Rows, asked: Sequence[list[int]], name: str) -> list[Encoded]:
    """As engines do it: the answer begins where the prompt alone and the whole part."""
    answers = [row[name] for row in rows]
    if isinstance(answers[0], str):
        answers = [_ended(answer, tokenizer) for answer in answers]
    wholes = ids_of(tokenizer, [row["prompt"] + each for row, each in zip(rows, answers, strict=True)], _tools(rows))
    found = []
    for prompt, whole in zip(asked, wholes, strict=True):
        start = common_prefix(prompt, whole)
        learned = [0] * start + [1] * (len(whole) - start)
        part = "" if name == "completion" else name
        found.append(Encoded(whole, learned, part, prompt_differs=start < len(prompt)))
    return found


def _ended(text: str, tokenizer: Any) -> str:
    return text if text.endswith(tokenizer.eos_token) else text + tokenizer.eos_token


def _tools(rows: Rows) -> list[Any] | None:
    tools = [row.get("tools") for row in rows]
    return tools if any(each is not None for each in tools) else None
