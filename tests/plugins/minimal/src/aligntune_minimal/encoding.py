"""From canonical rows to tokens, with a mark on those that are trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aligntune_core import DataError, ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Piece = tuple[str, bool]
"""A stretch of text, and whether it is trained on."""


@dataclass(frozen=True, slots=True)
class Example:
    """A row as the engine takes it.

    Args:
        tokens: Its tokens.
        trained: Which of them are trained on.
        good: Whether they are to become likelier, not less likely.
    """

    tokens: tuple[int, ...]
    trained: tuple[bool, ...]
    good: bool = True


def encode(rows: Iterable[Mapping[str, Any]], tokenizer: Any, max_seq_length: int | None) -> tuple[list[Example], int]:
    """Rows as examples, and how many rows were left out because nothing of their answers stayed when they were cut.

    Args:
        rows: Canonical rows: a text; a prompt with its completion, and a label or none; or a conversation.
        tokenizer: The model's tokenizer.
        max_seq_length: Tokens after which a row is cut off.

    Raises:
        DataError: If a row has tools.
        ModelError: If the tokenizer has no chat template, or one in which the answers can't be found.
    """
    examples = [encode_row(row, tokenizer, max_seq_length) for row in rows]
    # the first token is predicted from nothing, so it is never trained on
    kept = [example for example in examples if any(example.trained[1:])]
    return kept, len(examples) - len(kept)


def encode_row(row: Mapping[str, Any], tokenizer: Any, max_seq_length: int | None) -> Example:
    """One row as an example, as ``encode`` does it."""
    tokens: list[int] = []
    trained: list[bool] = []
    for text, is_trained in _pieces(row, tokenizer):
        found = tokenizer(text, add_special_tokens=False)["input_ids"]
        tokens += found
        trained += [is_trained] * len(found)
    return Example(tuple(tokens[:max_seq_length]), tuple(trained[:max_seq_length]), bool(row.get("label", True)))


def _pieces(row: Mapping[str, Any], tokenizer: Any) -> list[Piece]:
    if row.get("tools"):
        raise DataError("the backend 'minimal' can't write tools into a prompt.", fix="Use backend='trl'.")
    start, end = tokenizer.bos_token or "", tokenizer.eos_token or ""
    if "text" in row:
        return [(start, False), (row["text"] + end, True)]
    if "messages" in row:
        return _answers(row["messages"], 0, tokenizer)
    prompt, completion = row["prompt"], row["completion"]
    if isinstance(prompt, str):
        return [(start + prompt, False), (completion + end, True)]
    return _answers([*prompt, *completion], len(prompt), tokenizer)


def _answers(messages: Sequence[Mapping[str, Any]], first: int, tokenizer: Any) -> list[Piece]:
    """A conversation with every assistant turn from ``first`` on trained on."""
    if tokenizer.chat_template is None:
        raise ModelError(
            "the tokenizer has no chat template, and the rows are messages.",
            fix="Use a chat model, or rows whose prompt and completion are plain texts.",
        )
    pieces: list[Piece] = []
    done = ""
    for index in range(first, len(messages)):
        if messages[index]["role"] != "assistant":
            continue
        before = tokenizer.apply_chat_template(messages[:index], tokenize=False, add_generation_prompt=True)
        through = tokenizer.apply_chat_template(messages[: index + 1], tokenize=False)
        if not (before.startswith(done) and through.startswith(before)):
            raise ModelError(
                "the chat template rewrites earlier turns, so the answers can't be found in it.",
                fix="Use rows with one answer each.",
            )
        pieces += [(before[len(done) :], False), (through[len(before) :], True)]
        done = through
    return pieces
