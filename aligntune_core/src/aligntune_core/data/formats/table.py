"""The formats that datasets come in: one row each, the most specific first."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import DatasetKind
from aligntune_core.data.formats import rows
from aligntune_core.data.formats.dialogues import is_dialogue
from aligntune_core.data.formats.unusable import UnusableRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aligntune_core.data.formats.rows import RawRow, Reader

DEMONSTRATIONS, PAIRS = DatasetKind.DEMONSTRATIONS, DatasetKind.PAIRS
PROMPTS, LABELLED = DatasetKind.PROMPTS, DatasetKind.LABELLED

KIND_WORDS: Mapping[DatasetKind, str] = MappingProxyType(
    {
        DEMONSTRATIONS: "demonstrations",
        PAIRS: "preference pairs",
        PROMPTS: "prompts",
        LABELLED: "labelled answers",
    }
)
"""What each kind of rows is called in messages."""


def kind_words(kind: DatasetKind | str) -> str:
    """What a kind of rows is called in messages; a plugin's own kind by its name."""
    return KIND_WORDS[kind] if isinstance(kind, DatasetKind) else kind.replace("_", " ")


def _always(row: Mapping[str, Any]) -> bool:  # noqa: ARG001 - the signature of `fits`
    return True


@dataclass(frozen=True, slots=True)
class Format:
    """A way in which datasets write their rows.

    Args:
        name: Its name.
        needs: The columns it can't do without.
        readers: By the kind of rows it can serve: the function that makes a canonical row of a raw one, or raises
            UnusableRow. A kind that a plugin brings is written as text.
        optional: Further columns it reads.
        fits: Whether the values of a row that has the columns are such as the format means.
    """

    name: str
    needs: tuple[str, ...]
    readers: Mapping[DatasetKind | str, Reader]
    optional: tuple[str, ...] = ()
    fits: Callable[[RawRow], bool] = field(default=_always)

    @property
    def kinds(self) -> tuple[DatasetKind | str, ...]:
        """The kinds of rows it can serve, its own first."""
        return tuple(self.readers)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column it reads."""
        return self.needs + self.optional


def _has_label(row: RawRow) -> bool:
    try:
        return row.get("label") is None or rows.read_label(row) is not None
    except UnusableRow:
        return False


def _are_dialogues(row: RawRow) -> bool:
    return is_dialogue(row.get("chosen")) and is_dialogue(row.get("rejected"))


def _are_conversations(row: RawRow) -> bool:
    return not isinstance(row.get("chosen"), str) and not isinstance(row.get("rejected"), str)


_messages, _conversations = rows.chat_in("messages"), rows.chat_in("conversations")
_chat = rows.chat_demonstration(_messages)

FORMATS: tuple[Format, ...] = (
    Format(
        "labelled_completion",
        ("prompt", "completion", "label"),
        {
            LABELLED: rows.labelled(rows.completion_demonstration),
            DEMONSTRATIONS: rows.called_good(rows.completion_demonstration),
            PROMPTS: rows.given_prompt,
        },
        ("tools",),
        _has_label,
    ),
    Format(
        "labelled_messages",
        ("messages", "label"),
        {
            LABELLED: rows.labelled(_chat),
            DEMONSTRATIONS: rows.called_good(_chat),
            PROMPTS: rows.chat_prompt(_messages),
        },
        ("system", "tools"),
        _has_label,
    ),
    Format(
        "hh_rlhf",
        ("chosen", "rejected"),
        {PAIRS: rows.dialogue_pair, PROMPTS: rows.dialogue_pair},
        fits=_are_dialogues,
    ),
    Format(
        "preference",
        ("prompt", "chosen", "rejected"),
        {PAIRS: rows.given_pair, PROMPTS: rows.given_pair},
    ),
    Format(
        "sharegpt_preference",
        ("conversations", "chosen", "rejected"),
        {PAIRS: rows.chat_pair, PROMPTS: rows.chat_pair},
        ("system",),
    ),
    Format(
        "conversation_preference",
        ("chosen", "rejected"),
        {PAIRS: rows.given_pair, PROMPTS: rows.given_pair},
        fits=_are_conversations,
    ),
    Format(
        "prompt_completion",
        ("prompt", "completion"),
        {DEMONSTRATIONS: rows.completion_demonstration, PROMPTS: rows.given_prompt},
        ("tools",),
    ),
    Format(
        "prompt_response",
        ("prompt", "response"),
        {
            DEMONSTRATIONS: rows.renamed(rows.completion_demonstration, completion="response"),
            PROMPTS: rows.given_prompt,
        },
        ("tools",),
    ),
    Format("prompt", ("prompt",), {PROMPTS: rows.given_prompt}),
    Format(
        "messages",
        ("messages",),
        {DEMONSTRATIONS: _chat, PROMPTS: rows.chat_prompt(_messages)},
        ("system", "tools"),
    ),
    Format(
        "sharegpt",
        ("conversations",),
        {DEMONSTRATIONS: rows.chat_demonstration(_conversations), PROMPTS: rows.chat_prompt(_conversations)},
        ("system", "tools"),
    ),
    Format(
        "alpaca",
        ("instruction", "output"),
        {DEMONSTRATIONS: rows.alpaca_demonstration, PROMPTS: rows.alpaca_prompt},
        ("input", "system"),
    ),
    Format(
        "question_answer",
        ("question", "answer"),
        {DEMONSTRATIONS: rows.question_demonstration, PROMPTS: rows.question_prompt},
    ),
    Format("text", ("text",), {DEMONSTRATIONS: rows.text_demonstration}),
)
"""Every known format; of two that fit a dataset, the one that stands first is taken."""


def formats_for(kind: DatasetKind | str, own: Sequence[Format] = ()) -> tuple[Format, ...]:
    """The formats to suggest to someone who needs rows of that kind: those that hold such rows and nothing more.

    Args:
        kind: The kind of rows.
        own: The formats that the job's backend brings.
    """
    return tuple(known for known in (*own, *FORMATS) if kind in (known.kinds if kind is PROMPTS else known.kinds[:1]))
