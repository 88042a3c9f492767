"""Prompts, as texts or as messages, made into token ids for sampling, and looked through before training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from aligntune_core.errors import DataError, ModelError
from aligntune_core.rewards.texts import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import Tensor


class PromptTokens(NamedTuple):
    """Prompts as ids and attention mask, both (batch, prompt tokens), padded on the left."""

    ids: Tensor
    mask: Tensor


def pad_token_id(tokenizer: Any) -> int:
    """The id to pad with: the tokenizer's padding token, or its end token where it has none.

    Raises:
        ModelError: If it has neither.
    """
    token = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    if token is None:
        raise ModelError(
            "The policy's tokenizer has neither a padding token nor an end token, so completions can't be batched.",
            fix="Set tokenizer.eos_token or tokenizer.pad_token.",
        )
    return int(token)


def encode_prompt(prompt: Any, tokenizer: Any) -> list[int]:
    """The token ids of one prompt.

    Args:
        prompt: A text, or messages (``role`` and ``content``), which the chat template turns into a text that the
            assistant has to answer.
        tokenizer: The policy's.

    Raises:
        DataError: If the prompt is neither, or empty.
        ModelError: If it is messages and the tokenizer has no chat template.
    """
    if isinstance(prompt, str):
        ids = tokenizer(prompt)["input_ids"]
    elif _is_messages(prompt):
        if not tokenizer.chat_template:
            raise ModelError(
                "The prompts are messages, but the policy's tokenizer has no chat template to make texts of them.",
                fix="Use an instruction-tuned model, set tokenizer.chat_template, or give the prompts as texts.",
            )
        text = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    else:
        raise DataError(
            f"A prompt is {shortened(prompt)}, which is neither a text nor a list of messages.",
            fix="Each row's 'prompt' must be a text or a list of {'role': ..., 'content': ...}.",
        )
    if not ids:
        raise DataError("A prompt is empty: there is nothing to answer.", fix="Leave out rows with an empty 'prompt'.")
    return [int(token) for token in ids]


def encode_prompts(
    prompts: Sequence[Any], tokenizer: Any, max_length: int | None, device: torch.device | str
) -> PromptTokens:
    """Prompts as one batch.

    Args:
        prompts: Texts or messages.
        tokenizer: The policy's.
        max_length: Tokens kept of each prompt, the last ones; None keeps all.
        device: Where the batch is wanted.
    """
    rows = [encode_prompt(prompt, tokenizer)[-(max_length or 0) :] for prompt in prompts]
    width = max(map(len, rows))
    pad = pad_token_id(tokenizer)
    ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    return PromptTokens(ids.to(device, non_blocking=True), mask.to(device, non_blocking=True))


def check_prompts(
    rows: Iterable[Mapping[str, Any]], name: str, tokenizer: Any, max_length: int | None, room: int | None
) -> None:
    """Look through a dataset before anything is trained on it.

    Args:
        rows: The dataset.
        name: What it is called in errors, e.g. ``training data``.
        tokenizer: The policy's.
        max_length: Tokens that will be kept of each prompt; None if all.
        room: Tokens that may be left of a prompt; None if any number.

    Raises:
        DataError: If there are no rows, or one has no prompt, an empty one, or one that is too long.
        ModelError: If the tokenizer can't make texts of messages.
    """
    number = -1
    for number, row in enumerate(rows):
        if "prompt" not in row:
            raise DataError(
                f"Row {number} of the {name} has no 'prompt'; its columns are {', '.join(map(repr, row))}.",
                fix="Rename the column that holds the prompts.",
            )
        try:
            length = len(encode_prompt(row["prompt"], tokenizer)[-(max_length or 0) :])
        except DataError as error:
            raise DataError(f"Row {number} of the {name}: {error.message}", fix=error.fix) from error
        if room is not None and length > room:
            raise DataError(
                f"The prompt in row {number} of the {name} has {length} tokens, but the model's context leaves "
                f"{room} beside a completion.",
                fix="Set max_prompt_length to keep only the last tokens of prompts, lower max_completion_length, or "
                "leave the row out.",
            )
    if number < 0:
        raise DataError(f"The {name} has no rows.")


def _is_messages(prompt: object) -> bool:
    return (
        isinstance(prompt, list)
        and bool(prompt)
        and all(isinstance(item, Mapping) and "role" in item for item in prompt)
    )
