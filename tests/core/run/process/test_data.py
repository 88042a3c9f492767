"""Datasets given as objects, for an engine in another process."""

import datetime as dt

import pytest

from aligntune_core.errors import JobError
from aligntune_core.events import DataReady

ROW = {"instruction": "Say \u2028 \ud83d\ude00", "output": "\U0001f600"}
ODD = {"big": 10**40, "exact": 0.1 + 0.2, "tiny": 5e-324, "none": None, "deep": [{"a": [1, "2", None]}], "$": "x"}


def sent(made, rows):
    told = []
    made(told, made="data", dataset_name=rows)
    (ready,) = [event for event in told if isinstance(event, DataReady)]
    return ready


@pytest.mark.parametrize("kind", [list, tuple])
def test_rows_cross_unchanged(made, kind):
    rows = kind([{**ROW, **ODD}, ROW, {"output": "x", "instruction": "y"}])
    ready = sent(made, rows)
    assert (ready.source, ready.rows) == (kind.__name__, 3)
    assert ready.first["rows"] == list(rows)
    assert [list(row) for row in ready.first["rows"]] == [list(row) for row in rows]


def test_a_dataset_crosses_row_by_row_and_leaves_no_file(made, tmp_path):
    datasets = pytest.importorskip("datasets")
    rows = [{"instruction": f"Say {n}", "output": str(n), "score": n / 3, "tags": ["a"] * n} for n in range(5)]
    ready = sent(made, datasets.Dataset.from_list(rows))
    assert (ready.source, ready.rows) == ("Dataset", 5)
    assert ready.first["rows"] == rows
    assert not list((tmp_path / "temporary").rglob("*.jsonl"))


def test_splits_cross(made):
    datasets = pytest.importorskip("datasets")
    splits = {name: datasets.Dataset.from_list([ROW | {"instruction": name}]) for name in ("train", "test")}
    assert sent(made, datasets.DatasetDict(splits)).first["rows"] == ["train", "test"]


def test_a_value_that_cannot_cross_is_refused_by_name(made):
    rows = [ROW, {**ROW, "when": [dt.date(2020, 1, 1)]}]
    with pytest.raises(JobError) as refused:
        made(dataset_name=rows)
    (problem,) = refused.value.problems
    assert (problem.code, problem.key) == ("other-process", "dataset_name")
    assert problem.message == (
        "'when[0]' of row 2 of 'dataset_name' is of type date, which can't be given to another process."
    )


def test_an_engine_s_setting_that_cannot_cross_is_refused_by_name(made):
    with pytest.raises(JobError) as refused:
        made(backend_args={"callbacks": [{"stop": object()}]})
    (problem,) = refused.value.problems
    assert problem.message == (
        "'backend_args.callbacks[0].stop' is of type object, which can't be given to another process."
    )
    assert "Leave out isolation" in problem.fix
