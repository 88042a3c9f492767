"""What is wrong with rows once they are tokens, told from what was counted in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.problem import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.check.examination import Lengths
    from aligntune_core.check.token_counts import Counts
    from aligntune_core.encoding import Encoding


def token_problems(counts: Counts, lengths: Lengths, encoding: Encoding) -> Iterator[Problem]:
    """What is wrong with rows, from what was counted in them.

    Args:
        counts: What was counted.
        lengths: The same as it is shown.
        encoding: How the rows become tokens.
    """
    yield from _unknown_tokens(counts, lengths, encoding)
    if encoding.is_prompted:
        yield from _empty_prompts(counts, lengths)
        yield from _prompts_too_long(counts, lengths, encoding)
    else:
        yield from _left_out(counts, lengths, encoding)
        yield from _cut_off(counts, lengths, encoding)
        yield from _beyond_context(lengths, encoding)
        yield from _ends(counts, lengths)
    if counts.split:
        yield _warning(
            "prompt-differs",
            f"in {_of(counts.split, lengths)} the prompt alone is tokenised otherwise than before its answer, so the "
            "model learns from a context that it won't see later.",
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


def _left_out(counts: Counts, lengths: Lengths, encoding: Encoding) -> Iterator[Problem]:
    if not lengths.left_out:
        return
    limit = _limit(encoding)
    key = encoding.limit_key or "max_seq_length"
    if counts.unlearned == lengths.rows:
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


def _cut_off(counts: Counts, lengths: Lengths, encoding: Encoding) -> Iterator[Problem]:
    if not lengths.cut or encoding.leaves_out:
        return
    whole = counts.whole
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


def _unknown_tokens(counts: Counts, lengths: Lengths, encoding: Encoding) -> Iterator[Problem]:
    if encoding.vocabulary is None:
        return
    if counts.unknown:
        yield Problem(
            "model",
            f"in {_of(counts.unknown, lengths)} the tokenizer writes tokens that the model doesn't know: it has "
            f"{encoding.vocabulary:,}.",
            "Use the tokenizer that belongs to the model, or a model whose embeddings were made larger for it.",
            "model_name",
        )


def _empty_prompts(counts: Counts, lengths: Lengths) -> Iterator[Problem]:
    if counts.empty:
        yield Problem(
            "nothing-to-learn",
            f"{_of(counts.empty, lengths, 'prompts')} have no tokens, so there is nothing to answer: the chat template "
            "writes nothing for them.",
            "Leave out those rows, or mend the model's chat template.",
            "dataset_name",
        )


def _prompts_too_long(counts: Counts, lengths: Lengths, encoding: Encoding) -> Iterator[Problem]:
    if encoding.context is None:
        return
    sizes = counts.prompts
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


def _ends(counts: Counts, lengths: Lengths) -> Iterator[Problem]:
    if counts.endless:
        yield _warning(
            "no-end-token",
            f"in {_of(counts.endless, lengths)} no end token is learned, so the model won't learn to stop.",
            "Use a chat template that ends answers with the tokenizer's eos_token, or set eos_token to what it writes.",
            "model_name",
        )


def _limit(encoding: Encoding) -> str:
    if encoding.limit_key:
        return f"{encoding.limit_key}={encoding.limit}"
    return f"the engine's default length of {encoding.limit} tokens"


def _of(count: int, lengths: Lengths, what: str = "rows") -> str:
    return f"{count} of {'the first ' * lengths.more}{lengths.rows} {what}"


def _warning(code: str, message: str, fix: str, key: str) -> Problem:
    return Problem(code, message, fix, key, Severity.WARNING)
