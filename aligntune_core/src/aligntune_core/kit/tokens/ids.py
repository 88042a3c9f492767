"""Texts and turns as token ids, many at a time."""

from __future__ import annotations

import json
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import ModelError
from aligntune_core.wording import described

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_UNWARNED = {"verbose": False}
"""Without what a tokenizer says of texts that are longer than its model takes: that is judged here."""


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


def ids_of(
    tokenizer: Any, contents: Sequence[Any], tools: Sequence[Any] | None = None, *, asks: bool = False
) -> list[list[int]]:
    """The token ids of texts, or of turns as the chat template writes them.

    Args:
        tokenizer: The tokenizer.
        contents: Texts, or lists of turns; all of one kind.
        tools: What the model may call, for each of these; None where no row has any.
        asks: Whether the template introduces the answer that comes next.

    Raises:
        ModelError: If the chat template fails.
    """
    if not contents:
        return []
    if isinstance(contents[0], str):
        return list(tokenizer(list(contents), **_UNWARNED)["input_ids"])
    found: list[list[int]] = []
    pairs = zip(contents, tools or [None] * len(contents), strict=True)
    for shared, group in groupby(pairs, key=lambda pair: pair[1]):
        with writing_turns():
            encoded = tokenizer.apply_chat_template(
                [turns for turns, _ in group],
                tools=json.loads(shared) if isinstance(shared, str) else shared,
                add_generation_prompt=asks,
                tokenize=True,
                return_dict=True,
                tokenizer_kwargs=_UNWARNED,
            )
        found += encoded["input_ids"]
    return found


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """How many ids two sequences begin with alike.

    Args:
        left: The one sequence.
        right: The other.
    """
    length = min(len(left), len(right))
    if left[:length] == right[:length]:
        return length
    return next(index for index, (one, other) in enumerate(zip(left, right, strict=False)) if one != other)
