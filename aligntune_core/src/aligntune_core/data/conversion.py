"""One pass over a dataset: from raw rows to canonical ones, with a reason for each that can't be used."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import DatasetKind
from aligntune_core.data.files.limits import DEFAULT_LIMITS, Limits
from aligntune_core.data.formats.own import code_of
from aligntune_core.data.formats.recognise import Recognised, recognise
from aligntune_core.data.formats.shapes import in_shape, shape_of
from aligntune_core.data.formats.table import FORMATS
from aligntune_core.data.formats.unusable import UnusableRow
from aligntune_core.data.loading import raw_batches, selected
from aligntune_core.data.overlap import digests_of
from aligntune_core.data.parts import first_of, ranges_of, splits_in
from aligntune_core.data.row_code import row_code
from aligntune_core.data.sources import AT_ONCE, source_of
from aligntune_core.data.storage.columns import Unstorable
from aligntune_core.data.storage.keep import Batch, keep, key_of
from aligntune_core.data.storage.writer import rows_of
from aligntune_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from datasets import Dataset

    from aligntune_core.data.formats.rows import Row
    from aligntune_core.data.formats.table import Format
    from aligntune_core.data.sources import RawRows, Split
    from aligntune_core.data.storage.keep import Kept
    from aligntune_core.events import Listener

_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made of a dataset.

    Args:
        source: The dataset, as for ``load_rows``.
        called: What it is called in messages.
        kind: The kind of rows that is wanted.
        algorithm: Who wants them, for messages.
        mapping: From its column names to those of a known format.
        split: Which split of it.
        max_samples: How many raw rows to take, the first ones.
        emit: Receives a Notice where the rows can't be kept on the disk.
        limits: What a local file may hold.
        own: The formats that the job's backend brings.
    """

    source: Any
    called: str
    kind: DatasetKind | str
    algorithm: str
    mapping: Mapping[str, str]
    split: str
    max_samples: int | None
    emit: Listener
    limits: Limits = DEFAULT_LIMITS
    own: tuple[Format, ...] = ()


@dataclass(frozen=True, slots=True)
class Converted:
    """A dataset's canonical rows: all that its splits gave, and which of them were asked for.

    Args:
        wanted: What was asked for.
        kept: The canonical rows of all rows that were read.
        ranges: Which of the raw rows were asked for.
        key: What the rows are kept by.
    """

    wanted: Wanted
    kept: Kept
    ranges: tuple[range, ...]
    key: str | None

    @property
    def format_name(self) -> str:
        """The format it was read as."""
        return str(self.kept.facts["format"])

    @property
    def is_plain_text(self) -> bool:
        """Whether its rows are text with no turns."""
        return "text" in self.kept.rows.column_names

    def count(self) -> int:
        """How many raw rows were asked for."""
        return sum(map(len, self.ranges))

    def unused(self) -> Counter[str]:
        """How many of these can't be used, by reason, in the order in which they first appear."""
        reasons, codes = self.kept.facts["reasons"], self.kept.sides["codes"]
        found = Counter(code for each in self.ranges for code in codes[each.start : each.stop] if code)
        return Counter({reasons[code - 1]: count for code, count in found.items()})

    def rows(self) -> Dataset:
        """The canonical rows of those that were asked for and can be used."""
        usable = self._usable()
        return self.kept.rows if usable == [range(len(self.kept.rows))] else selected([self.kept.rows], usable)

    def digests(self) -> array[int]:
        """What is learned from each of these, in 64 bits."""
        digests = self.kept.sides["digests"]
        return array(digests.typecode, [each for part in self._usable() for each in digests[part.start : part.stop]])

    def in_shape(self, shape: int) -> Converted:
        """The same with its rows in a wider shape."""
        if shape == self.kept.shape:
            return self
        kind, before = self.wanted.kind, self.kept

        def batches() -> Iterator[Batch]:
            table = before.rows.data.table
            for batch in table.to_batches(max_chunksize=AT_ONCE):
                yield Batch(in_shape(rows_of(batch), kind, shape), shape)

        key = key_of(self.key, shape) if self.key else None
        made = keep(key, batches, emit=self.wanted.emit)
        return replace(self, kept=replace(made, sides=before.sides, facts=before.facts), key=key)

    def _usable(self) -> list[range]:
        codes, before, at = self.kept.sides["codes"], 0, 0
        usable_before = {}
        for place in sorted({place for each in self.ranges for place in (each.start, each.stop)}):
            before += codes[at:place].count(0)
            at = place
            usable_before[place] = before
        return [range(usable_before[each.start], usable_before[each.stop]) for each in self.ranges]


def convert(wanted: Wanted) -> Converted:
    """The canonical rows of a dataset, from the cache where they are there.

    Args:
        wanted: What is to be made of it.

    Raises:
        DataError: If it can't be loaded or is in no format that fits, or none of its rows can be used.
    """
    source = source_of(wanted.source, wanted.split, wanted.limits)
    names = splits_in(wanted.split, source.splits, source.name) if source.taken is None else tuple(source.splits)
    splits = [source.splits[name] for name in names]
    at_most = wanted.max_samples if wanted.split in names else None
    key = _key(wanted, splits, at_most)
    try:
        kept = keep(
            key,
            lambda: _batches(wanted, splits, at_most),
            shaped=lambda rows, shape: in_shape(rows, wanted.kind, shape),
            emit=wanted.emit,
        )
    except Unstorable as unstorable:
        raise DataError(
            f"the rows of {wanted.called} can't be put together: {unstorable.reason}.",
            fix="Make every column, and every key of a message, hold one type.",
        ) from unstorable
    lengths = dict(zip(names, kept.facts["lengths"], strict=True))
    ranges = first_of(ranges_of(wanted.split, lengths, source.name), wanted.max_samples)
    converted = Converted(wanted, kept, tuple(ranges), key)
    count, unused = converted.count(), converted.unused()
    if not count:
        raise _no_rows(wanted)
    if unused.total() == count:
        raise _none_usable(wanted, converted.format_name, count, unused)
    return converted


def counted(unused: Mapping[str, int]) -> str:
    """Reasons with how often each was given, the most frequent first."""
    most = sorted(unused.items(), key=lambda item: -item[1])
    more = f", and {len(most) - 5} more reasons" if len(most) > 5 else ""
    return ", ".join(f"{reason} ({count})" for reason, count in most[:5]) + more


def _key(wanted: Wanted, splits: Sequence[Split], at_most: int | None) -> str | None:
    digests = [split.digest for split in splits]
    code = code_of(wanted.own)
    if None in digests or code is None:
        return None
    own = [code] if code else []
    return key_of(row_code(), "canonical", digests, str(wanted.kind), sorted(wanted.mapping.items()), at_most, *own)


def _batches(wanted: Wanted, splits: Sequence[Split], at_most: int | None) -> Iterator[Batch]:
    raw = raw_batches(splits, at_most)
    first = next(((number, rows) for number, rows in raw if rows), None)
    if first is None:
        raise _no_rows(wanted)
    recognised, columns = _recognised(wanted, splits, first[1])
    blank = dict.fromkeys(columns)
    read, reasons, lengths = recognised.convert, dict[str, int](), [0] * len(splits)
    unused: Counter[str] = Counter()
    usable = 0
    for number, batch in _with(first, raw):
        lengths[number] += len(batch)
        rows: list[Row] = []
        codes = array("I")
        for row in batch:
            try:
                rows.append(read(row if len(row) >= len(blank) else blank | row))
                codes.append(0)
            except UnusableRow as unusable:
                codes.append(reasons.setdefault(unusable.reason, len(reasons) + 1))
                unused[unusable.reason] += 1
        usable += len(rows)
        shape = shape_of(rows, wanted.kind)
        facts = {"format": recognised.format.name, "reasons": list(reasons), "lengths": list(lengths)}
        sides = {"codes": codes, "digests": digests_of(rows, whole=not isinstance(wanted.kind, DatasetKind))}
        yield Batch(in_shape(rows, wanted.kind, shape), shape, sides, facts)
    if not usable:
        raise _none_usable(wanted, recognised.format.name, sum(lengths), unused)


def _with(first: tuple[int, RawRows], rest: Iterator[tuple[int, RawRows]]) -> Iterator[tuple[int, RawRows]]:
    yield first
    yield from rest


def _recognised(wanted: Wanted, splits: Sequence[Split], first: RawRows) -> tuple[Recognised, list[str]]:
    """The format that the first rows show; all rows are looked at before it is said that there is none."""
    columns = dict.fromkeys(_columns(splits, first))
    looked_at = first[:_LOOKED_AT]
    telling = min(looked_at, key=lambda row: sum(row.get(column) is None for column in columns))
    telling = dict.fromkeys(columns) | telling

    def found() -> Recognised:
        return recognise(
            list(columns),
            telling,
            wanted.kind,
            wanted.mapping,
            algorithm=wanted.algorithm,
            name=wanted.called,
            own=wanted.own,
        )

    try:
        return found(), list(columns)
    except DataError:
        before = len(columns)
        for _, rows in raw_batches(splits):
            for row in rows:
                columns.update(dict.fromkeys(row))
        if len(columns) == before:
            raise
        telling = dict.fromkeys(columns) | telling
        return found(), list(columns)


def _columns(splits: Sequence[Split], first: RawRows) -> Iterator[str]:
    for split in splits:
        if split.dataset is not None:
            yield from split.dataset.column_names
    for row in first:
        yield from row


def _no_rows(wanted: Wanted) -> DataError:
    return DataError(f"{wanted.called} has no rows.", fix="Check the file, or the split that was asked for.")


def _none_usable(wanted: Wanted, format_name: str, count: int, unused: Mapping[str, int]) -> DataError:
    needs = next(known.needs for known in (*wanted.own, *FORMATS) if known.name == format_name)
    return DataError(
        f"{wanted.called} was read as '{format_name}', and none of its {count} rows can be used: {counted(unused)}.",
        fix=f"The format needs {' and '.join(needs)}, filled in.",
    )
