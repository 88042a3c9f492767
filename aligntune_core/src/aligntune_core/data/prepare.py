"""A job's datasets, loaded and in the one shape that its algorithm learns from."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import DatasetKind
from aligntune_core.data.files.paths import eval_split
from aligntune_core.data.formats.recognise import Recognised, recognise
from aligntune_core.data.formats.shapes import one_shape, same_columns
from aligntune_core.data.formats.unusable import UnusableRow
from aligntune_core.data.loading import describe, load_rows
from aligntune_core.data.overlap import overlap_problems
from aligntune_core.errors import DataError
from aligntune_core.events import DataReady, Notice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from datasets import Dataset

    from aligntune_core.data.formats.rows import Row
    from aligntune_core.events import Listener
    from aligntune_core.job import Job

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Prepared:
    """A dataset that is ready to train on.

    Args:
        rows: Its canonical rows.
        report: What was loaded, how it was understood and what could not be used.
    """

    rows: Dataset
    report: DataReady


@dataclass(frozen=True, slots=True)
class _Request:
    source: Any
    split: str | None
    max_samples: int | None
    name: str


@dataclass(frozen=True, slots=True)
class _Converted:
    rows: list[Row]
    recognised: Recognised
    unused: Counter[str]
    name: str
    source: str


def prepare(
    source: Any,
    kind: DatasetKind,
    *,
    algorithm: str,
    split: str | None = None,
    column_mapping: Mapping[str, str] | None = None,
    max_samples: int | None = None,
    name: str = "training data",
) -> Prepared:
    """Load a dataset and convert its rows.

    Args:
        source: The dataset, as for ``load_rows``.
        kind: The kind of rows that is wanted.
        algorithm: Who wants them, for messages.
        split: Which split of it; ``train`` unless given.
        column_mapping: From its column names to those of a known format.
        max_samples: Take no more than this many rows, the first ones.
        name: What the dataset is for.

    Raises:
        DataError: If it can't be loaded or is in no format that fits, or none of its rows can be used.
    """
    request = _Request(source, split, max_samples, name)
    converted = _convert(request, kind, algorithm, column_mapping)
    return _built(converted, one_shape(converted.rows, kind))


def prepare_job(job: Job, kind: DatasetKind, emit: Listener) -> tuple[Prepared, Prepared | None]:
    """Load and convert what a job trains on and what it evaluates on, both to one shape.

    ``max_samples`` applies to the training data. Where ``eval_dataset_split`` is left alone it is ``test``, except for
    a local file, which has ``train`` only; given without ``eval_dataset_name`` it is a split of the training dataset.

    Args:
        job: The job.
        kind: The kind of rows its algorithm learns from.
        emit: Receives a DataReady for each dataset, and a warning where rows can't be used.

    Raises:
        DataError: As ``prepare``; or if the two datasets can't be given one shape.
    """
    requests = [_Request(job.dataset_name, job.dataset_split, job.max_samples, "training data")]
    evaluated = job.eval_dataset_name
    if evaluated is None and job.eval_dataset_split is not None:
        evaluated = job.dataset_name
    if evaluated is not None:
        split = job.eval_dataset_split or eval_split(evaluated, job.dataset_name)
        requests.append(_Request(evaluated, split, None, "evaluation data"))
    converted = [_convert(request, kind, job.algorithm, job.column_mapping) for request in requests]
    train = converted[0]
    rows = one_shape([row for each in converted for row in each.rows], kind)
    if len(converted) > 1 and ("text" in train.rows[0]) != ("text" in converted[1].rows[0]) and kind is _DEMONSTRATIONS:
        raise DataError(
            f"the training data is in the format '{train.recognised.format.name}' and the evaluation data in "
            f"'{converted[1].recognised.format.name}': plain text and answers to prompts can't be compared.",
            fix="Give both in one format.",
        )
    prepared = [_built(train, rows[: len(train.rows)])]
    prepared += [_built(each, rows[len(train.rows) :]) for each in converted[1:]]
    for each in prepared:
        emit(each.report)
        if each.report.unused:
            emit(Notice(_unused_words(each.report), warning=True, code="rows-unused", key="dataset_name"))
    if len(prepared) > 1:
        for problem in overlap_problems(prepared[0].rows, prepared[1].rows):
            emit(Notice(str(problem), warning=True, code=problem.code, key=problem.key))
        return prepared[0], prepared[1]
    return prepared[0], None


_DEMONSTRATIONS = DatasetKind.DEMONSTRATIONS


def _convert(request: _Request, kind: DatasetKind, algorithm: str, mapping: Mapping[str, str] | None) -> _Converted:
    raw = load_rows(request.source, request.split, request.max_samples)
    source = describe(request.source)
    called = f"the {request.name} '{source}'"
    if not len(raw):
        raise DataError(f"{called} has no rows.", fix="Check the file, or the split that was asked for.")
    recognised = recognise(raw.column_names, _telling(raw), kind, mapping, algorithm=algorithm, name=called)
    rows: list[Row] = []
    unused: Counter[str] = Counter()
    for row in _each(raw):
        try:
            rows.append(recognised.convert(row))
        except UnusableRow as unusable:
            unused[unusable.reason] += 1
    if not rows:
        raise DataError(
            f"{called} was read as '{recognised.format.name}', and none of its {len(raw)} rows can be used: "
            f"{_counted(unused)}.",
            fix=f"The format needs {' and '.join(recognised.format.needs)}, filled in.",
        )
    return _Converted(rows, recognised, unused, request.name, source)


def _each(rows: Dataset) -> Iterator[dict[str, Any]]:
    plain = rows.with_format(None)
    for start in range(0, len(plain), _AT_ONCE):
        columns = plain[start : start + _AT_ONCE]
        for values in zip(*columns.values(), strict=True):
            yield dict(zip(columns, values, strict=True))


def _telling(rows: Dataset) -> dict[str, Any]:
    """Of the first rows, the one with the fewest gaps."""
    first = list(_each(rows.select(range(min(len(rows), 100)))))
    return min(first, key=lambda row: sum(value is None for value in row.values()))


def _built(converted: _Converted, rows: list[Row]) -> Prepared:
    from datasets import Dataset

    rows = same_columns(rows)
    try:
        built = Dataset.from_list(rows)
    except Exception as error:
        raise DataError(
            f"the rows of the {converted.name} '{converted.source}' can't be put together: {error}.",
            fix="Make every column, and every key of a message, hold one type.",
        ) from error
    first = json.loads(json.dumps(rows[0], default=str))
    format_name = converted.recognised.format.name
    report = DataReady(converted.name, converted.source, format_name, len(rows), dict(converted.unused), first)
    return Prepared(built, report)


def _counted(unused: Mapping[str, int]) -> str:
    most = sorted(unused.items(), key=lambda item: -item[1])
    more = f", and {len(most) - 5} more reasons" if len(most) > 5 else ""
    return ", ".join(f"{reason} ({count})" for reason, count in most[:5]) + more


def _unused_words(report: DataReady) -> str:
    count = sum(report.unused.values())
    return f"{count} of {count + report.rows} rows of the {report.name} can't be used: {_counted(report.unused)}."
