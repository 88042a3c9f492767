"""Which rows a split like ``train[:10%]`` or ``train[:80]+test`` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.data.failures import bad_split, no_split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def splits_in(spec: str, known: Iterable[str], name: str) -> tuple[str, ...]:
    """The splits that are spoken of, each once.

    Args:
        spec: What is asked for.
        known: The splits there are.
        name: What the dataset is called in messages.

    Raises:
        DataError: If it can't be read, or one is not there.
    """
    from datasets import ReadInstruction

    known = list(known)
    if spec in known:
        return (spec,)
    try:
        ReadInstruction.from_spec(spec)
    except Exception as error:
        raise bad_split(name, spec) from error
    named = tuple(dict.fromkeys(part.partition("[")[0].strip() for part in spec.split("+")))
    if not set(named) <= set(known):
        raise no_split(name, spec, known)
    return named


def ranges_of(spec: str, lengths: Mapping[str, int], name: str) -> list[range]:
    """The rows that are asked for, counted through all the splits one after another.

    Args:
        spec: What is asked for.
        lengths: How many rows each split has.
        name: What the dataset is called in messages.

    Raises:
        DataError: If it names rows that no split of such a length can have.
    """
    from datasets import ReadInstruction

    if spec in lengths:
        return [range(sum(lengths.values()))]
    starts = dict(zip(lengths, _sums(lengths.values()), strict=False))
    try:
        parts = ReadInstruction.from_spec(spec).to_absolute(dict(lengths))
    except Exception as error:
        raise bad_split(name, spec) from error
    return [range(starts[part.splitname] + part.from_, starts[part.splitname] + part.to) for part in parts]


def first_of(ranges: Sequence[range], at_most: int | None) -> list[range]:
    """The first rows of ranges.

    Args:
        ranges: The ranges.
        at_most: How many rows; None for all.
    """
    taken = []
    left = sum(map(len, ranges)) if at_most is None else at_most
    for each in ranges:
        taken.append(each[:left])
        left -= len(taken[-1])
    return [each for each in taken if each] or list(ranges[:1])


def _sums(lengths: Iterable[int]) -> Iterable[int]:
    total = 0
    for length in lengths:
        yield total
        total += length
