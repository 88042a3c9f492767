"""Which format a dataset is in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aligntune_core.algorithms import ALGORITHMS, DatasetKind
from aligntune_core.data.formats.columns import listed, nearest, rename
from aligntune_core.data.formats.table import FORMATS, formats_for, kind_words
from aligntune_core.errors import DataError
from aligntune_core.wording import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aligntune_core.data.formats.rows import RawRow, Row
    from aligntune_core.data.formats.table import Format


@dataclass(frozen=True, slots=True)
class Recognised:
    """A dataset's format, and how its rows become canonical ones.

    Args:
        format: The format.
        kind: The kind of rows it is to serve.
        mapping: New names of columns, by their names in the dataset.
    """

    format: Format
    kind: DatasetKind | str
    mapping: Mapping[str, str] = field(default_factory=dict)

    def convert(self, row: RawRow) -> Row:
        """The canonical row of a raw one; prompts keep every other column for the reward functions.

        Raises:
            UnusableRow: If the row can't be used.
        """
        mapping = self.mapping
        named = {mapping.get(column, column): value for column, value in row.items()} if mapping else row
        canonical = self.format.readers[self.kind](named)
        return {**named, **canonical} if self.kind is DatasetKind.PROMPTS else canonical


def recognise(
    columns: Sequence[str],
    first_row: RawRow,
    kind: DatasetKind | str,
    column_mapping: Mapping[str, str] | None = None,
    *,
    algorithm: str = "",
    name: str = "the dataset",
    own: Sequence[Format] = (),
) -> Recognised:
    """The format of a dataset, from its columns and a row of it.

    Args:
        columns: The dataset's columns.
        first_row: A row of it, for what the columns don't tell.
        kind: The kind of rows that is wanted.
        column_mapping: From the dataset's column names to those of a known format.
        algorithm: Who wants them, for messages.
        name: What the dataset is called in messages.
        own: The formats that the job's backend brings, which come before the core's.

    Raises:
        DataError: If the columns are those of no format, or of one that holds other rows than wanted, or the mapping
            is wrong.
    """
    for column in columns:
        if not isinstance(column, str):
            raise DataError(
                f"a column of {name} is called {shown(column)}, which is not text.", fix="Name columns with text."
            )
    mapping = dict(column_mapping or {})
    renamed = rename(columns, mapping, kind, name, own)
    row = {mapping.get(column, column): value for column, value in first_row.items()}
    there = [known for known in (*own, *FORMATS) if set(known.needs) <= set(renamed) and known.fits(row)]
    serving = [known for known in there if kind in known.readers]
    wanted = set(mapping.values())
    learner = f"'{algorithm}'" if algorithm else "the algorithm"
    best = max(serving, key=lambda known: len(wanted.intersection(known.columns)), default=None)
    closer = [known for known in there if best and kind not in known.readers and set(best.needs) < set(known.needs)]
    if best and (best in own or not closer):
        idle = [column for column, target in mapping.items() if target not in best.columns]
        if idle and kind is not DatasetKind.PROMPTS:
            raise DataError(
                f"column_mapping maps '{idle[0]}' to '{mapping[idle[0]]}', but {name} is read as '{best.name}', "
                f"which has the columns {listed(best.columns)}.",
                fix=f"Leave '{idle[0]}' out of column_mapping, or map every column that the other format needs.",
            )
        return Recognised(best, kind, mapping)
    if there and formats_for(kind, own):
        raise DataError(
            f"{name} is in the format '{there[0].name}', which holds {kind_words(there[0].kinds[0])}, "
            f"but {learner} learns from {kind_words(kind)}.",
            fix=f"Give it a dataset with the columns {_needs(kind, own)}{_other_algorithm(there[0])}.",
        )
    if not formats_for(kind, own):
        raise DataError(
            f"{learner} learns from {kind_words(kind)}, and no format is known that holds them.",
            fix="Its backend has to bring one: report it to the backend's authors.",
        )
    close, guess = nearest(renamed, kind, own)
    missing = [need for need in close.needs if need not in renamed]
    raise DataError(
        f"{name} has the columns {listed(columns)}, from which {learner} can't learn: it learns from "
        f"{kind_words(kind)}. The closest format is '{close.name}', with the columns {listed(close.needs)}; "
        f"missing: {listed(missing)}.",
        fix=_example(close, missing, mapping, guess) + f" Columns that work: {_needs(kind, own)}.",
    )


def _needs(kind: DatasetKind | str, own: Sequence[Format]) -> str:
    return " or ".join(dict.fromkeys("+".join(known.needs) for known in formats_for(kind, own)))


def _other_algorithm(known: Format) -> str:
    names = [f"'{algorithm.name}'" for algorithm in ALGORITHMS if algorithm.dataset in known.kinds]
    return f"; from these rows {', '.join(names)} can learn" if names else ""


def _example(close: Format, missing: Sequence[str], given: Mapping[str, str], guess: Mapping[str, str]) -> str:
    back = {target: column for column, target in given.items()}
    example = dict(given) | {back.get(column, column): need for column, need in guess.items()}
    example |= {f"YOUR_{need.upper()}_COLUMN": need for need in missing if need not in example.values()}
    return f"If the columns of '{close.name}' are there under other names, map them, e.g. column_mapping={example}."
