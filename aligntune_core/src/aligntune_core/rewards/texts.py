"""The text of prompts and completions, which are texts or lists of messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aligntune_core.errors import RewardError

Turn = str | Sequence[Mapping[str, Any]]
"""A prompt or a completion: a text, or messages with ``role`` and ``content``."""


def text_of(completion: object) -> str:
    """The text a model wrote: the completion itself, or the contents of its assistant messages, a line break between.

    Raises:
        RewardError: If it is not a ``Turn``.
    """
    if isinstance(completion, str):
        return completion
    if not isinstance(completion, Sequence) or not all(isinstance(message, Mapping) for message in completion):
        raise RewardError(f"a completion is a {type(completion).__name__}, neither a text nor a list of messages.")
    written = [message for message in completion if message.get("role", "assistant") == "assistant"]
    return "\n".join(_content(message.get("content")) for message in written)


def shortened(turn: object, limit: int = 120) -> str:
    """A prompt or completion as one quoted line of at most about ``limit`` characters, its middle left out."""
    shown = repr(turn if isinstance(turn, str) else _last_content(turn))
    if len(shown) <= limit:
        return shown
    half = limit // 2
    return f"{shown[:half]} ... {shown[-half:]}"


def _last_content(turn: object) -> object:
    if isinstance(turn, Sequence) and turn and isinstance(turn[-1], Mapping):
        return _content(turn[-1].get("content"))
    return turn


def _content(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))
    return ""
