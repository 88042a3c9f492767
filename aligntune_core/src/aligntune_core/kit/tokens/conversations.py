"""Conversations with several answers, tokenised so that every answer is trained on and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.encoding import Encoded
from aligntune_core.errors import ModelError
from aligntune_core.kit.tokens.ids import common_prefix, ids_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Turns = Sequence[Mapping[str, Any]]


def encode_conversations(
    conversations: Sequence[Turns], tokenizer: Any, tools: Sequence[Any] | None = None
) -> Iterator[Encoded]:
    """Conversations' tokens, and which of them are the assistant's.

    Args:
        conversations: The turns of each, every turn with ``role`` and ``content``.
        tokenizer: A tokenizer with a chat template.
        tools: What the model may call, for each conversation; None where none has any.

    Yields:
        Each conversation; learned from is what stands from where an answer begins, after the words that introduce it,
        to the end of its turn.

    Raises:
        ModelError: If the chat template writes a turn differently once others follow, so that the answers can't be
            found in the whole.
    """
    answers = [
        (number, place)
        for number, turns in enumerate(conversations)
        for place, turn in enumerate(turns)
        if turn["role"] == "assistant"
    ]
    begun = [(number, place) for number, place in answers if place]
    offered = list(tools) if tools else [None] * len(conversations)

    def ids(cuts: Sequence[tuple[int, int]], *, asks: bool) -> Iterator[list[int]]:
        turns = [conversations[number][:end] for number, end in cuts]
        return iter(ids_of(tokenizer, turns, [offered[number] for number, _ in cuts], asks=asks))

    wholes = list(ids([(number, len(turns)) for number, turns in enumerate(conversations)], asks=False))
    befores = dict(zip(begun, ids(begun, asks=True), strict=True))
    throughs = dict(zip(answers, ids([(number, place + 1) for number, place in answers], asks=False), strict=True))
    for number, turns in enumerate(conversations):
        whole = wholes[number]
        learned = [0] * len(whole)
        for place, turn in enumerate(turns):
            if turn["role"] != "assistant":
                continue
            before = befores[number, place] if place else _opening(tokenizer, whole)
            through = throughs[number, place]
            start, end = common_prefix(before, whole), common_prefix(through, whole)
            if end < len(through) and place + 1 < len(turns) and end <= start:
                raise ModelError(
                    "the chat template of this model rewrites earlier answers of a conversation, so conversations with "
                    "several answers can't be trained on.",
                    fix="Use rows with one answer each, or a chat template that leaves earlier turns as they are.",
                )
            learned[start:end] = [1] * (end - start)
        yield Encoded(whole, learned)


def _opening(tokenizer: Any, whole: list[int]) -> list[int]:
    """A conversation that begins with an answer, up to where that answer begins: no template writes an empty one."""
    asked = [{"role": "user", "content": "?"}]
    (turn,) = ids_of(tokenizer, [asked])
    (asking,) = ids_of(tokenizer, [asked], asks=True)
    words = asking[len(turn) :]
    for end in range(len(words), len(whole) + 1):
        if whole[end - len(words) : end] == words:
            return whole[:end]
    raise ModelError(
        "the chat template of this model doesn't introduce answers in one way, so a conversation that begins with one "
        "can't be trained on.",
        fix="Leave out the answers that stand before the first question.",
    )
