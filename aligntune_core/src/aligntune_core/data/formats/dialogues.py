"""Dialogues in one text, as Anthropic's hh-rlhf writes them, and the split of two dialogues into prompt and answers."""

from __future__ import annotations

import re

from aligntune_core.data.formats.messages import Message, read_filled_text, require_answers, require_question
from aligntune_core.data.formats.unusable import UnusableRow

_TURN = re.compile(r"(?:\A\s*|\n\n)(Human|Assistant):")
_ROLE = {"Human": "user", "Assistant": "assistant"}


def is_dialogue(value: object) -> bool:
    """Whether ``value`` is a text of turns that begins with ``Human:`` or ``Assistant:`` and has an answer in it."""
    return isinstance(value, str) and bool(_TURN.match(value)) and "\n\nAssistant:" in value


def read_dialogue(value: object) -> list[Message]:
    r"""The turns of a text like ``\n\nHuman: ... \n\nAssistant: ...``, without the white space around each.

    Raises:
        UnusableRow: If it is no such text.
    """
    head, *parts = _TURN.split(read_filled_text(value, "dialogue"))
    if head or not parts:
        raise UnusableRow("text without Human: and Assistant: turns")
    return [
        {"role": _ROLE[name], "content": content.strip()} for name, content in zip(parts[::2], parts[1::2], strict=True)
    ]


def split_pair(chosen: list[Message], rejected: list[Message]) -> dict[str, list[Message]]:
    """Prompt, chosen and rejected answer of two dialogues that are the same up to their last answers.

    Raises:
        UnusableRow: If they differ earlier, not at all, or the prompt is no question.
    """
    if chosen == rejected:
        raise UnusableRow("chosen and rejected are the same")
    shared = 0
    for one, other in zip(chosen, rejected, strict=False):
        if one != other:
            break
        shared += 1
    good, bad = chosen[shared:], rejected[shared:]
    if len(good) != 1 or len(bad) != 1:
        raise UnusableRow("chosen and rejected differ before the last answer")
    if good[0]["role"] != "assistant" or bad[0]["role"] != "assistant":
        raise UnusableRow("no answer at the end")
    return {
        "prompt": require_question(chosen[:shared]),
        "chosen": require_answers(good),
        "rejected": require_answers(bad),
    }
