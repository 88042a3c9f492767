"""A job's rows in tokens: how long they are, what is learned from, and what is wrong with that."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from itertools import groupby, islice
from statistics import median_low
from typing import TYPE_CHECKING, Any

from aligntune_core.check.examination import Lengths, Span
from aligntune_core.problem import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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
        kept: Whether each of them has something to learn from, or is a prompt.
    """

    lengths: Lengths
    example: tuple[tuple[str, tuple[Span, ...]], ...]
    problems: tuple[Problem, ...]
    kept: tuple[bool, ...] = ()


def examine_rows(rows: Iterable[Mapping[str, Any]], encoding: Encoding, *, most: int = MOST_ROWS) -> Tokens:
    """Look at the rows of a dataset as the model will see them.

    Args:
        rows: Canonical rows, at least one.
        encoding: How they become tokens.
        most: Rows that are looked at, the first ones.
    """
    encoded = [tuple(encoding.encode(row)) for row in islice(rows, most)]
    more = isinstance(rows, Sized) and len(rows) > len(encoded)
    lengths = _lengths(encoded, encoding, more=more)
    kept = tuple(_is_kept(row, encoding) for row in encoded)
    shown = encoded[kept.index(True) if any(kept) else 0]
    example = tuple((sequence.name, _spans(sequence, encoding)) for sequence in shown)
    return Tokens(lengths, example, tuple(_problems(encoded, lengths, encoding)), kept)


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


def _lengths(encoded: Sequence[tuple[Encoded, ...]], encoding: Encoding, *, more: bool) -> Lengths:
    sizes = [len(sequence.ids) for row in encoded for sequence in row]
    limit = encoding.limit
    kept = [row for row in encoded if _is_kept(row, encoding)]
    return Lengths(
        rows=len(encoded),
        shortest=min(sizes),
        median=median_low(sizes),
        longest=max(sizes),
        learned=sum(sum(encoding.cut(sequence.learned)) for row in kept for sequence in row),
        tokens=sum(len(encoding.cut(sequence.ids)) for row in kept for sequence in row),
        cut=sum(any(limit is not None and len(sequence.ids) > limit for sequence in row) for row in kept),
        left_out=len(encoded) - len(kept),
        limit=limit,
        context=encoding.context,
        more=more,
    )


def _is_kept(row: tuple[Encoded, ...], encoding: Encoding) -> bool:
    """Whether a row has something left to learn from, or is only a prompt."""
    for sequence in row:
        if encoding.leaves_out and encoding.limit is not None and len(sequence.ids) > encoding.limit:
            return False
        if not encoding.is_prompted and not any(encoding.cut(sequence.learned)):
            return False
    return True


def _problems(encoded: Sequence[tuple[Encoded, ...]], lengths: Lengths, encoding: Encoding) -> Iterator[Problem]:
    yield from _unknown_tokens(encoded, lengths, encoding)
    if encoding.is_prompted:
        yield from _empty_prompts(encoded, lengths)
        yield from _prompts_too_long(encoded, lengths, encoding)
    else:
        yield from _left_out(encoded, lengths, encoding)
        yield from _cut_off(encoded, lengths, encoding)
        yield from _beyond_context(lengths, encoding)
        yield from _ends(encoded, lengths, encoding)
    split = sum(any(sequence.prompt_differs for sequence in row) for row in encoded)
    if split:
        yield _warning(
            "prompt-differs",
            f"in {_of(split, lengths)} the prompt alone is tokenised otherwise than before its answer, so the model "
            "learns from a context that it won't see later.",
            "Give prompts and answers as messages, or let prompts end without a space and answers begin with it.",
            "dataset_name",
        )
    if encoding.asks is False:
        yield _warning(
            "template-does-not-ask",
            "the chat template writes nothing to introduce an answer, so the model is not told when to answer.",
            "Use a tokenizer whose chat template has a part for add_generation_prompt.",
            "model_name",
        )
    if encoding.pads_by_id and encoding.pad_id is not None and encoding.pad_id in encoding.end_ids:
        yield _warning(
            "pad-is-end",
            "the tokenizer pads with its end token, and the model takes padding for what it is by its id: the end of "
            "an answer is not read.",
            "Give the tokenizer a pad_token of its own.",
            "model_name",
        )


def _left_out(encoded: Sequence[tuple[Encoded, ...]], lengths: Lengths, encoding: Encoding) -> Iterator[Problem]:
    if not lengths.left_out:
        return
    limit = _limit(encoding)
    key = encoding.limit_key or "max_seq_length"
    unlearned = sum(any(not any(sequence.learned) for sequence in row) for row in encoded)
    if unlearned == lengths.rows:
        yield Problem(
            "nothing-to-learn",
            "no token of any row is learned from: the answers can't be found in what the chat template writes.",
            "Look at the first example that `aligntune check` shows, and at the chat template.",
            "dataset_name",
        )
        return
    why = f"are longer than {limit}" if encoding.leaves_out else f"have nothing left to learn from within {limit}"
    if lengths.left_out == lengths.rows:
        yield Problem(
            "nothing-to-learn", f"all {'of the first ' * lengths.more}{lengths.rows} rows {why}.", f"Raise {key}.", key
        )
    else:
        yield _warning(
            "rows-left-out", f"{_of(lengths.left_out, lengths)} {why} and are left out.", f"Raise {key}.", key
        )


def _cut_off(encoded: Sequence[tuple[Encoded, ...]], lengths: Lengths, encoding: Encoding) -> Iterator[Problem]:
    if not lengths.cut or encoding.leaves_out:
        return
    whole = sum(sum(sequence.learned) for row in encoded if _is_kept(row, encoding) for sequence in row)
    lost = whole - lengths.learned
    key = encoding.limit_key or "max_seq_length"
    share = f", and {100 * lost / whole:.0f}% of what would be learned with them" if whole and lost else ""
    yield _warning(
        "rows-cut",
        f"{_of(lengths.cut, lengths)} are longer than {_limit(encoding)}: what goes beyond is cut off{share}.",
        f"Raise {key}; the longest row has {lengths.longest} tokens.",
        key,
    )


def _beyond_context(lengths: Lengths, encoding: Encoding) -> Iterator[Problem]:
    longest = lengths.longest if encoding.limit is None else min(lengths.longest, encoding.limit)
    if encoding.context is not None and longest > encoding.context:
        key = encoding.limit_key or "max_seq_length"
        yield Problem(
            "beyond-context",
            f"rows have up to {longest} tokens, and the model "
            f"{'can read' if encoding.ends_at_context else 'was made for'} {encoding.context}.",
            f"Set {key} to {encoding.context} or less.",
            key,
            Severity.ERROR if encoding.ends_at_context else Severity.WARNING,
        )


def _unknown_tokens(encoded: Sequence[tuple[Encoded, ...]], lengths: Lengths, encoding: Encoding) -> Iterator[Problem]:
    if encoding.vocabulary is None:
        return
    known = encoding.vocabulary
    unknown = sum(any(max(sequence.ids, default=0) >= known for sequence in row) for row in encoded)
    if unknown:
        yield Problem(
            "model",
            f"in {_of(unknown, lengths)} the tokenizer writes tokens that the model doesn't know: it has {known:,}.",
            "Use the tokenizer that belongs to the model, or a model whose embeddings were made larger for it.",
            "model_name",
        )


def _empty_prompts(encoded: Sequence[tuple[Encoded, ...]], lengths: Lengths) -> Iterator[Problem]:
    empty = sum(not row[0].ids for row in encoded)
    if empty:
        yield Problem(
            "nothing-to-learn",
            f"{_of(empty, lengths, 'prompts')} have no tokens, so there is nothing to answer: the chat template "
            "writes nothing for them.",
            "Leave out those rows, or mend the model's chat template.",
            "dataset_name",
        )


def _prompts_too_long(
    encoded: Sequence[tuple[Encoded, ...]], lengths: Lengths, encoding: Encoding
) -> Iterator[Problem]:
    if encoding.context is None:
        return
    sizes = [len(encoding.cut(row[0].ids)) for row in encoded]
    context, room = encoding.context, encoding.max_completion_length
    bound = context - room + 1 if encoding.needs_room else context
    too_long = [index for index, size in enumerate(sizes) if size >= bound]
    if too_long:
        what = f"leave less than max_completion_length={room} tokens in" if encoding.needs_room else "fill"
        yield Problem(
            "prompt-too-long",
            f"{_of(len(too_long), lengths, 'prompts')} {what} the model's context of {context} tokens, the first of "
            f"them row {too_long[0]} with {sizes[too_long[0]]} tokens.",
            "Shorten or leave out those rows" + (", or lower max_completion_length." if encoding.needs_room else "."),
            "dataset_name",
        )
        return
    cramped = sum(size + room > context for size in sizes)
    if cramped:
        yield _warning(
            "prompts-cramped",
            f"{_of(cramped, lengths, 'prompts')} leave less than max_completion_length={room} tokens in the model's "
            f"context of {context}: such answers go beyond what the model was made for.",
            "Lower max_completion_length, or shorten those prompts.",
            "max_completion_length",
        )


def _ends(encoded: Sequence[tuple[Encoded, ...]], lengths: Lengths, encoding: Encoding) -> Iterator[Problem]:
    if not encoding.end_ids:
        return
    endless = sum(
        any(not encoding.end_ids.intersection(_learned(sequence)) for sequence in row)
        for row in encoded
        if all(any(sequence.learned) for sequence in row)
    )
    if endless:
        yield _warning(
            "no-end-token",
            f"in {_of(endless, lengths)} no end token is learned, so the model won't learn to stop.",
            "Use a chat template that ends answers with the tokenizer's eos_token, or set eos_token to what it writes.",
            "model_name",
        )


def _learned(sequence: Encoded) -> Iterator[int]:
    return (token for token, is_learned in zip(sequence.ids, sequence.learned, strict=True) if is_learned)


def _spans(sequence: Encoded, encoding: Encoding) -> tuple[Span, ...]:
    """A sequence's text in stretches; of a long one the start and the end of each stretch."""
    marked = zip(encoding.cut(sequence.ids), encoding.cut(sequence.learned), strict=True)
    spans = []
    for learned, pairs in groupby(marked, key=lambda pair: bool(pair[1])):
        text = encoding.decode([token for token, _ in pairs])
        spans.append(Span(text if len(text) <= _LONG else f"{text[: _LONG // 2]} [...] {text[-_LONG // 2 :]}", learned))
    return tuple(spans)


def _limit(encoding: Encoding) -> str:
    if encoding.limit_key:
        return f"{encoding.limit_key}={encoding.limit}"
    return f"the engine's default length of {encoding.limit} tokens"


def _of(count: int, lengths: Lengths, what: str = "rows") -> str:
    return f"{count} of {'the first ' * lengths.more}{lengths.rows} {what}"


def _warning(code: str, message: str, fix: str, key: str) -> Problem:
    return Problem(code, message, fix, key, Severity.WARNING)
