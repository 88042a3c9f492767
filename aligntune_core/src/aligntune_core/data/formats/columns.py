"""What the columns of a dataset are called, and what a format would call them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.algorithms import DatasetKind
from aligntune_core.data.formats.table import FORMATS, formats_for
from aligntune_core.errors import DataError
from aligntune_core.wording import closest, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aligntune_core.data.formats.table import Format

_ASKED = ("query", "question", "instruction", "prompt", "problem", "request", "input", "source", "user", "human")
_ANSWERED = ("response", "answer", "completion", "output", "reply", "target", "solution", "assistant", "gpt")

OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "prompt": _ASKED,
    "question": _ASKED,
    "instruction": _ASKED,
    "completion": _ANSWERED,
    "response": _ANSWERED,
    "answer": _ANSWERED,
    "output": _ANSWERED,
    "chosen": ("accepted", "preferred", "positive", "winner", "better", "good", "response_j"),
    "rejected": ("dispreferred", "negative", "loser", "worse", "bad", "response_k"),
    "messages": ("dialogue", "dialog", "chat", "turns", "conversation"),
    "text": ("content", "body", "document"),
    "label": ("is_good", "thumbs_up", "liked"),
}
"""What datasets call a format's columns: used to suggest a column_mapping, never taken silently."""


def listed(names: Iterable[str], at_most: int = 20) -> str:
    """Names in quotes, for a message."""
    quoted = [repr(name) for name in names]
    more = f" and {len(quoted) - at_most} more" if len(quoted) > at_most else ""
    return ", ".join(quoted[:at_most]) + more


def rename(
    columns: Sequence[str],
    mapping: Mapping[str, str],
    kind: DatasetKind | str,
    name: str,
    own: Sequence[Format] = (),
) -> tuple[str, ...]:
    """The columns as they are called after a column_mapping.

    Args:
        columns: The dataset's columns.
        mapping: From the dataset's names to those of a format; for prompts, which keep every column for the reward
            functions, to any name.
        kind: The rows the algorithm learns from.
        name: What the dataset is called in messages.
        own: The formats that the job's backend brings.

    Raises:
        DataError: If the mapping names a column that isn't there, a name that no format has, or one name twice.
    """
    known = dict.fromkeys(column for known in (*own, *FORMATS) for column in known.columns)
    for column, target in mapping.items():
        if column not in columns:
            hint = f"Turn it round: column_mapping={{{target!r}: {column!r}}}." if target in columns else ""
            raise DataError(
                f"column_mapping names the column '{column}', which {name} does not have; it has {listed(columns)}.",
                fix=hint or did_you_mean(column, columns),
            )
        if kind is not DatasetKind.PROMPTS and target not in known:
            raise DataError(
                f"column_mapping maps '{column}' to '{target}', which is a column of no known format.",
                fix=did_you_mean(target, known),
            )
    renamed = tuple(mapping.get(column, column) for column in columns)
    for target in mapping.values():
        if renamed.count(target) > 1:
            both = [column for column in columns if mapping.get(column, column) == target]
            raise DataError(
                f"column_mapping leaves {name} with two columns called '{target}': {listed(both)}.",
                fix="Map one column onto each name; a column in the way can be mapped onto another.",
            )
    return renamed


def nearest(
    columns: Sequence[str], kind: DatasetKind | str, own: Sequence[Format] = ()
) -> tuple[Format, dict[str, str]]:
    """The format for ``kind`` that ``columns`` come closest to, and the column_mapping that would make it so."""
    best, best_mapping, best_score = formats_for(kind, own)[-1], dict[str, str](), -1.0
    for known in formats_for(kind, own):
        mapping = _guess(known.needs, columns)
        there = sum(need in columns for need in known.needs)
        found = (2 * there + len(mapping)) / (2 * len(known.needs)) + 0.1 * (there + len(mapping))
        score = found if there < len(known.needs) else -1
        if score > best_score:
            best, best_mapping, best_score = known, mapping, score
    return best, best_mapping


def _guess(needs: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    mapping: dict[str, str] = {}
    for need in needs:
        free = [column for column in columns if column not in needs and column not in mapping]
        spelt = {column.lower(): column for column in free}
        named = next((spelt[other] for other in OTHER_NAMES.get(need, ()) if other in spelt), None)
        found = spelt.get(need) or named or closest(need, free)
        if need not in columns and found:
            mapping[found] = need
    return mapping
