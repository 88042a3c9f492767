"""Conversations with several answers, tokenised so that every answer is trained on and nothing else."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aligntune_core import ModelError
from aligntune_core.wording import described

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@contextmanager
def writing_turns() -> Iterator[None]:
    """Turn what a chat template raises, which is the model's own program, into a ModelError."""
    try:
        yield
    except Exception as error:
        raise ModelError(
            f"the model's chat template fails on turns of the dataset with {described(error)}.",
            fix="Use rows with the turns that it takes, or mend the template in the model's folder.",
        ) from error


def tokenize_conversation(messages: Sequence[Mapping[str, Any]], tokenizer: Any) -> dict[str, list[int]]:
    """A conversation's tokens, and which of them are the assistant's.

    Args:
        messages: The turns, each with ``role`` and ``content``.
        tokenizer: A tokenizer with a chat template.

    Returns:
        ``input_ids`` and ``assistant_masks``, lists of the same length; a mask is 1 from where an answer begins, after
        the words that introduce it, to the end of its turn.

    Raises:
        ModelError: If the chat template writes a turn differently once others follow, so that the answers can't be
            found in the whole.
    """
    whole = _ids(tokenizer, messages, add_generation_prompt=False)
    masks = [0] * len(whole)
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = _ids(tokenizer, messages[:index], add_generation_prompt=True) if index else _opening(tokenizer, whole)
        through = _ids(tokenizer, messages[: index + 1], add_generation_prompt=False)
        start, end = _shared(before, whole), _shared(through, whole)
        if end < len(through) and index + 1 < len(messages) and end <= start:
            raise ModelError(
                "the chat template of this model rewrites earlier answers of a conversation, so conversations with "
                "several answers can't be trained on.",
                fix="Use rows with one answer each, or a chat template that leaves earlier turns as they are.",
            )
        masks[start:end] = [1] * (end - start)
    return {"input_ids": whole, "assistant_masks": masks}


def _opening(tokenizer: Any, whole: list[int]) -> list[int]:
    """A conversation that begins with an answer, up to where that answer begins: no template writes an empty one."""
    asked = [{"role": "user", "content": "?"}]
    turn = _ids(tokenizer, asked, add_generation_prompt=False)
    words = _ids(tokenizer, asked, add_generation_prompt=True)[len(turn) :]
    for end in range(len(words), len(whole) + 1):
        if whole[end - len(words) : end] == words:
            return whole[:end]
    raise ModelError(
        "the chat template of this model doesn't introduce answers in one way, so a conversation that begins with one "
        "can't be trained on.",
        fix="Leave out the answers that stand before the first question.",
    )


def _ids(tokenizer: Any, messages: Sequence[Mapping[str, Any]], *, add_generation_prompt: bool) -> list[int]:
    with writing_turns():
        encoded = tokenizer.apply_chat_template(
            list(messages), add_generation_prompt=add_generation_prompt, tokenize=True, return_dict=True
        )
    return list(encoded["input_ids"])


def _shared(left: list[int], right: list[int]) -> int:
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count
