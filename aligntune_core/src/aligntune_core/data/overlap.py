"""Rows that stand both in the training data and in the evaluation data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aligntune_core.problem import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_LEARNED = ("text", "messages", "prompt", "completion", "chosen", "rejected")


def overlap_problems(train: Iterable[Mapping[str, Any]], evaluation: Iterable[Mapping[str, Any]]) -> Iterator[Problem]:
    """A warning if rows of the evaluation data are learned from.

    Args:
        train: Canonical rows that are trained on.
        evaluation: Canonical rows that are evaluated on.
    """
    seen = {_said(row) for row in train}
    scored = [_said(row) in seen for row in evaluation]
    if any(scored):
        yield Problem(
            "evaluation-overlap",
            f"{sum(scored)} of {len(scored)} evaluation rows are in the training data too: their score says how well "
            "they are remembered.",
            "Leave them out of one of the two.",
            "eval_dataset_name",
            Severity.WARNING,
        )


def _said(row: Mapping[str, Any]) -> int:
    return hash(json.dumps([row[key] for key in _LEARNED if key in row], sort_keys=True, default=str))
