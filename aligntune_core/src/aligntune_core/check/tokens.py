"""A job's rows in tokens: how long they are, what is learned from, and what is wrong with that."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass, replace
from itertools import groupby, islice
from statistics import median_low
from typing import TYPE_CHECKING, Any

from aligntune_core.check.examination import Lengths, Span
from aligntune_core.check.token_counts import Counts
from aligntune_core.check.token_problems import token_problems
from aligntune_core.problem import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aligntune_core.encoding import Encoded, Encoding

MOST_ROWS = 5000
"""Rows that are looked at: more of them say little more, and take many seconds."""

_LONG = 400


@dataclass(frozen=True, slots=True)
class Tokens:
    """A dataset's first rows in tokens.

    Args:
        lengths: How long they are.
        example: The first of them that is learned from, as the model sees it.
        problems: What is wrong with them.
        kept: For each of them 1 if it has something to learn from or is a prompt, else 0.
    """

    lengths: Lengths
    example: tuple[tuple[str, tuple[Span, ...]], ...]
    problems: tuple[Problem, ...]
    kept: Sequence[int] = b""


def examine_rows(rows: Iterable[Mapping[str, Any]], encoding: Encoding, *, most: int | None = MOST_ROWS) -> Tokens:
    """Look at the rows of a dataset as the model will see them.

    Args:
        rows: Canonical rows, at least one.
        encoding: How they become tokens.
        most: Rows that are looked at, the first ones; all if None. An encoding that keeps tokens may give more.
    """
    counts = Counts()
    shown: Sequence[Encoded] = ()
    if encoding.encode_rows is not None:
        encoded = encoding.encode_rows(rows, most)
    else:
        encoded = map(encoding.encode, islice(rows, most))
    seen_kept = False
    for row in encoded:
        is_kept = counts.add(row, encoding)
        if not shown or (is_kept and not seen_kept):
            shown = row
        seen_kept = seen_kept or is_kept
    lengths = _lengths(counts, encoding, more=isinstance(rows, Sized) and len(rows) > len(counts.kept))
    example = tuple((sequence.name, _spans(sequence, encoding)) for sequence in shown)
    return Tokens(lengths, example, tuple(token_problems(counts, lengths, encoding)), counts.kept)


def examine_evaluation(
    rows: Iterable[Mapping[str, Any]], encoding: Encoding, *, most: int | None = MOST_ROWS
) -> tuple[Problem, ...]:
    """What stops an evaluation on these rows, and how many of them it leaves out.

    Args:
        rows: Canonical rows, at least one.
        encoding: How they become tokens.
        most: Rows that are looked at, the first ones; all if None.
    """
    tokens = examine_rows(rows, encoding, most=most)
    if tokens.lengths.more and _stops(tokens):
        # what holds for the first need not hold for all
        tokens = examine_rows(rows, encoding, most=None)
    return tuple(
        replace(
            problem,
            message=f"in the evaluation data, {problem.message}",
            key="eval_dataset_name" if problem.key == "dataset_name" else problem.key,
        )
        for problem in tokens.problems
        if problem.severity is Severity.ERROR or problem.code == "rows-left-out"
    )


def too_few_rows(needed: int, rows: int) -> Problem:
    """That a dataset has fewer rows than one step takes.

    Args:
        needed: Rows that a step takes.
        rows: Rows that there are.
    """
    return Problem(
        "too-few-rows",
        f"one step needs {needed} rows, and the dataset has {rows}.",
        "Add rows, or lower batch_size or gradient_accumulation_steps.",
        "dataset_name",
    )


def _stops(tokens: Tokens) -> bool:
    return any(problem.severity is Severity.ERROR for problem in tokens.problems)


def _lengths(counts: Counts, encoding: Encoding, *, more: bool) -> Lengths:
    return Lengths(
        rows=len(counts.kept),
        shortest=min(counts.sizes),
        median=median_low(counts.sizes),
        longest=max(counts.sizes),
        learned=counts.learned,
        tokens=counts.tokens,
        cut=counts.cut,
        left_out=counts.kept.count(0),
        limit=encoding.limit,
        context=encoding.context,
        more=more,
    )


def _spans(sequence: Encoded, encoding: Encoding) -> tuple[Span, ...]:
    """A sequence's text in stretches; of a long one the start and the end of each stretch."""
    marked = zip(encoding.cut(sequence.ids), encoding.cut(sequence.learned), strict=True)
    spans = []
    for learned, pairs in groupby(marked, key=lambda pair: bool(pair[1])):
        text = encoding.decode([token for token, _ in pairs])
        spans.append(Span(text if len(text) <= _LONG else f"{text[: _LONG // 2]} [...] {text[-_LONG // 2 :]}", learned))
    return tuple(spans)
