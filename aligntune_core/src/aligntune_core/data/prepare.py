"""A job's datasets, loaded and in the one shape that its algorithm learns from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import DatasetKind
from aligntune_core.data.conversion import Wanted, convert, counted
from aligntune_core.data.files.limits import limits_of
from aligntune_core.data.files.paths import eval_split
from aligntune_core.data.formats.own import own_formats
from aligntune_core.data.loading import describe
from aligntune_core.data.overlap import overlap_problems
from aligntune_core.data.sources import quiet_datasets
from aligntune_core.errors import DataError
from aligntune_core.events import EVALUATION_DATA, TRAINING_DATA, DataReady, Notice, ignore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from datasets import Dataset

    from aligntune_core.data.conversion import Converted
    from aligntune_core.data.formats.table import Format
    from aligntune_core.events import Listener
    from aligntune_core.job import Job


@dataclass(frozen=True, slots=True)
class Prepared:
    """A dataset that is ready to train on.

    Args:
        rows: Its canonical rows.
        report: What was loaded, how it was understood and what could not be used.
    """

    rows: Dataset
    report: DataReady


def prepare(
    source: Any,
    kind: DatasetKind,
    *,
    algorithm: str,
    split: str | None = None,
    column_mapping: Mapping[str, str] | None = None,
    max_samples: int | None = None,
    name: str = TRAINING_DATA,
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
    wanted = Wanted(
        source=source,
        called=_called(name, source),
        kind=kind,
        algorithm=algorithm,
        mapping=dict(column_mapping or {}),
        split=split or "train",
        max_samples=max_samples,
        emit=ignore,
    )
    with quiet_datasets():
        return _prepared(convert(wanted), name)


def prepare_job(
    job: Job, kind: DatasetKind | str, emit: Listener, formats: Iterable[Format] = ()
) -> tuple[Prepared, Prepared | None]:
    """Load and convert what a job trains on and what it evaluates on, both to one shape.

    ``max_samples`` applies to the training data. Where ``eval_dataset_split`` is left alone it is ``test``, except for
    a local file, which has ``train`` only; given without ``eval_dataset_name`` it is a split of the training dataset.

    Args:
        job: The job.
        kind: The kind of rows its algorithm learns from.
        emit: Receives a DataReady for each dataset, and a warning where rows can't be used.
        formats: The formats that the backend brings, as its ``aligntune_formats`` gives them.

    Raises:
        DataError: As ``prepare``; or if the two datasets can't be given one shape.
    """
    limits, own = limits_of(job.data_limits), own_formats(formats)

    def wanted(source: Any, split: str | None, max_samples: int | None, name: str) -> Wanted:
        mapping, called = dict(job.column_mapping or {}), _called(name, source)
        return Wanted(source, called, kind, job.algorithm, mapping, split or "train", max_samples, emit, limits, own)

    asked = [wanted(job.dataset_name, job.dataset_split, job.max_samples, TRAINING_DATA)]
    evaluated = job.eval_dataset_name
    if evaluated is None and job.eval_dataset_split is not None:
        evaluated = job.dataset_name
    if evaluated is not None:
        split = job.eval_dataset_split or eval_split(evaluated, job.dataset_name)
        asked.append(wanted(evaluated, split, None, EVALUATION_DATA))
    with quiet_datasets():
        converted = [convert(each) for each in asked]
        if kind is DatasetKind.DEMONSTRATIONS and len({each.is_plain_text for each in converted}) > 1:
            raise _unlike(converted)
        shape = max(each.kept.shape for each in converted)
        converted = [each.in_shape(shape) for each in converted]
        prepared = [
            _prepared(each, name) for each, name in zip(converted, (TRAINING_DATA, EVALUATION_DATA), strict=False)
        ]
    for each in prepared:
        emit(each.report)
        if each.report.unused:
            emit(Notice(_unused_words(each.report), warning=True, code="rows-unused", key="dataset_name"))
    if len(prepared) == 1:
        return prepared[0], None
    for problem in overlap_problems(*(each.digests() for each in converted)):
        emit(Notice.of(problem))
    return prepared[0], prepared[1]


def _called(name: str, source: Any) -> str:
    return f"the {name} '{describe(source)}'"


def _unlike(converted: Sequence[Converted]) -> DataError:
    train, evaluation = converted
    return DataError(
        f"the training data is in the format '{train.format_name}' and the evaluation data in "
        f"'{evaluation.format_name}': plain text and answers to prompts can't be compared.",
        fix="Give both in one format.",
    )


def _prepared(converted: Converted, name: str) -> Prepared:
    rows = converted.rows()
    first = json.loads(json.dumps(rows[0], default=str))
    source = describe(converted.wanted.source)
    return Prepared(rows, DataReady(name, source, converted.format_name, len(rows), dict(converted.unused()), first))


def _unused_words(report: DataReady) -> str:
    count = sum(report.unused.values())
    return f"{count} of {count + report.rows} rows of the {report.name} can't be used: {counted(report.unused)}."
