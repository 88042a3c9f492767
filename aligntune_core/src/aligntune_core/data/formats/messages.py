"""Messages: one turn of a conversation each, however a dataset spells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aligntune_core.data.formats.unusable import UnusableRow

Message = dict[str, Any]
"""A turn: ``role`` (system, user, assistant or tool), ``content``, and what else the dataset gives, e.g. tool_calls."""

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "tool": "tool",
    "observation": "tool",
    "tool_response": "tool",
}
"""Role names that datasets use, and the role each means."""


def read_text(value: object, what: str) -> str:
    """The text that ``value`` is; ``what`` names it in the reason.

    Raises:
        UnusableRow: If it is missing, not text, or can't be written as UTF-8.
    """
    if value is None:
        raise UnusableRow(f"no {what}")
    if not isinstance(value, str):
        raise UnusableRow(f"{what} is not text")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise UnusableRow(f"{what} is not valid Unicode") from None
    return value


def read_filled_text(value: object, what: str) -> str:
    """The text that ``value`` is, if there is more in it than white space.

    Raises:
        UnusableRow: If it is no text or blank.
    """
    text = read_text(value, what)
    if not text or text.isspace():
        raise UnusableRow(f"empty {what}")
    return text


def read_messages(value: object) -> list[Message]:
    """The turns of a conversation, given as a list of messages or as a single one.

    Args:
        value: Messages with ``role`` and ``content``, or ShareGPT's ``from`` and ``value``.

    Raises:
        UnusableRow: If it is no conversation, or a role is unknown, or a content is not text.
    """
    if isinstance(value, Mapping):
        return [_read_message(value)]
    if value is None:
        raise UnusableRow("no conversation")
    if not isinstance(value, list | tuple):
        raise UnusableRow("conversation is not a list of messages")
    if not value:
        raise UnusableRow("empty conversation")
    return [_read_message(message) for message in value]


def _read_message(value: object) -> Message:
    if not isinstance(value, Mapping):
        raise UnusableRow("message without role and content")
    role_key, content_key = ("role", "content") if value.get("role") is not None else ("from", "value")
    role = value.get(role_key)
    if not isinstance(role, str):
        raise UnusableRow("message without a role")
    known = ROLES.get(role.strip().lower())
    if known is None:
        raise UnusableRow(f"unknown role {ascii(role)[:40]}")
    extras = {
        key: item for key, item in value.items() if item is not None and key not in ("role", "content", "from", "value")
    }
    content = value.get(content_key)
    if content is None and extras.get("tool_calls"):
        content = ""
    return {"role": known, "content": read_text(content, "content"), **extras}


def user(content: str) -> Message:
    """What the user says."""
    return {"role": "user", "content": content}


def assistant(content: str) -> Message:
    """What the assistant answers."""
    return {"role": "assistant", "content": content}


def require_question(messages: list[Message]) -> list[Message]:
    """The same messages, if they can stand before an answer.

    Raises:
        UnusableRow: If no user turn has text in it, or the last turn is an answer already.
    """
    if not any(message["role"] == "user" and message["content"].strip() for message in messages):
        raise UnusableRow("empty prompt" if messages else "no prompt")
    if messages[-1]["role"] == "assistant":
        raise UnusableRow("prompt ends with an answer")
    return messages


def require_answers(messages: list[Message]) -> list[Message]:
    """The same messages, if no assistant turn among them is blank.

    Raises:
        UnusableRow: If one says nothing and calls no tool.
    """
    for message in messages:
        if message["role"] == "assistant" and not message["content"].strip() and not message.get("tool_calls"):
            raise UnusableRow("empty answer")
    return messages
