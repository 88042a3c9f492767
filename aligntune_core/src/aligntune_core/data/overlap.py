"""Rows that stand both in the training data and in the evaluation data."""

from __future__ import annotations

import json
from array import array
from typing import TYPE_CHECKING, Any

from aligntune_core.problem import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

_LEARNED = (
    ("prompt", "user"),
    ("text", ""),
    ("messages", ""),
    ("completion", "assistant"),
    ("chosen", "assistant"),
    ("rejected", "assistant"),
)
"""The columns that are learned from, and who speaks where one is a text."""


def overlap_problems(train: Iterable[int], evaluation: Collection[int]) -> Iterator[Problem]:
    """A warning if rows of the evaluation data are learned from.

    Args:
        train: The digests of the rows that are trained on.
        evaluation: The digests of the rows that are evaluated on.
    """
    scored = set(evaluation).intersection(train)
    if scored:
        count = sum(digest in scored for digest in evaluation)
        yield Problem(
            "evaluation-overlap",
            f"{count} of {len(evaluation)} evaluation rows are in the training data too: their score says how well "
            "they are remembered.",
            "Leave them out of one of the two.",
            "eval_dataset_name",
            Severity.WARNING,
        )


def digests_of(rows: Collection[Mapping[str, Any]], *, whole: bool = False) -> array[int]:
    """64 bits for each canonical row that stand for what is learned from it, in whatever shape it is.

    Args:
        rows: The rows.
        whole: Whether all of a row is learned from, or what the core's kinds of rows hold for it.
    """
    from xxhash import xxh3_64_intdigest

    there = set().union(*rows)
    learned = [(column, speaker) for column, speaker in _LEARNED if column in there]
    learned = [(column, "") for column in sorted(there)] if whole else learned
    return array("Q", [xxh3_64_intdigest(_said(row, learned)) for row in rows])


def _said(row: Mapping[str, Any], learned: Iterable[tuple[str, str]]) -> bytes:
    parts: list[Any] = []
    for column, speaker in learned:
        value = row.get(column)
        if type(value) is list:
            for message in value:
                parts.extend(message.values() if type(message) is dict else (message,))
        elif value is not None:
            parts += (speaker, value)
    try:
        said = "\0".join(parts)
    except TypeError:  # calls of tools, and whatever else is no text
        said = json.dumps(parts, sort_keys=True, default=str)
    return said.encode("utf-8", "surrogatepass")
