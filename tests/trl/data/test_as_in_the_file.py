"""What is in the file comes out as it is, however many rows come before or after it."""

from __future__ import annotations

import json
import pickle
from datetime import datetime
from pathlib import Path

import pytest

datasets = pytest.importorskip("datasets")

from aligntune_core.algorithms import DatasetKind  # noqa: E402 - after the skip
from aligntune_core.data.loading import load_rows  # noqa: E402 - after the skip
from aligntune_core.data.prepare import prepare, prepare_job  # noqa: E402 - after the skip
from aligntune_core.errors import DataError  # noqa: E402 - after the skip
from aligntune_core.events import Notice, ignore  # noqa: E402 - after the skip
from aligntune_core.job import Job  # noqa: E402 - after the skip

PROMPTS, DEMONSTRATIONS = DatasetKind.PROMPTS, DatasetKind.DEMONSTRATIONS
Q, A = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
CALL = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1.1}}}]}
ODD = [
    {"value": "2024-05-01"},
    {"value": "2024-05-01T10:00:00Z"},
    {"value": 3},
    {"value": 2.5},
    {"value": 0.30000000000000004},
    {"value": 2**53 + 1},
    {"value": 2**63},
    {"value": 2**70},
    {"value": -(2**64)},
    {"value": True},
    {"value": None},
    {"value": "007"},
    {"value": "null"},
    {"value": ""},
    {"value": "half a character: \ud800"},
    {"value": {}},
    {"value": {"a": 1}},
    {"value": {"b": {"c": [1, 2.5, "x", None]}}},
    {"value": []},
    {"value": [[1], ["x"]]},
    {"value": [{"role": "user", "content": "q"}]},
    {"value": [{"role": "user", "content": "q", "name": "n"}]},
    {"value": {"pi": 0.1 + 0.2, "big": 2**70}},
]


def written(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def same(found, wanted):
    """Equal, and of the same types all the way down: 1 is not 1.0 here, nor True."""
    return json.dumps(found, sort_keys=True) == json.dumps(wanted, sort_keys=True)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("row", ODD, ids=lambda row: ascii(row["value"])[:30])
@pytest.mark.parametrize("before", [{"value": "text"}, {"value": 1}, {"value": None}, {"other": [Q]}, {"value": [Q]}])
def test_a_value_after_1500_others_of_another_type(here, row, before):
    path = written(here / "x.jsonl", [before] * 1500 + [row])
    rows = load_rows(path)
    assert same(rows[-1], {**dict.fromkeys(before), **row})
    assert same(rows[0], {"value": None, **before})


def test_columns_for_reward_functions_stay_as_they_are(here):
    raw = [{"prompt": "p", **row} for row in ODD]
    for source in (written(here / "x.jsonl", raw), raw):
        rows = prepare(source, PROMPTS, algorithm="grpo").rows
        assert same(list(rows), raw)
        assert same([rows[index] for index in range(len(raw))], raw)
        assert same(rows[:]["value"], [row["value"] for row in raw])


def test_numbers_and_texts_alone_have_plain_types(here):
    raw = [{"text": "t", "whole": 2**53 + 1, "part": 0.1, "flag": True, "turns": [Q, A]}] * 3
    rows = load_rows(written(here / "x.jsonl", raw))
    assert same(rows.to_list(), raw)
    plain = {"text": "string", "whole": "int64", "part": "float64", "flag": "bool"}
    assert {name: rows.features[name].dtype for name in plain} == plain
    assert set(rows.features["turns"].feature) == {"role", "content"}


def test_a_map_over_odd_values_keeps_them(here):
    raw = [{"prompt": "p", **row} for row in ODD]
    rows = prepare(written(here / "x.jsonl", raw), PROMPTS, algorithm="grpo").rows
    more = rows.map(lambda row: {"n": len(row["prompt"])})
    assert same([row["value"] for row in more], [row["value"] for row in raw])
    batched = rows.map(lambda columns: {"n": [1] * len(columns["prompt"])}, batched=True)
    assert same([row["value"] for row in batched], [row["value"] for row in raw])
    again = pickle.loads(pickle.dumps(rows))
    assert same(list(again), raw)


def test_tools_and_calls_come_as_they_are(here):
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"x": {"type": "number"}}}}]
    raw = [{"messages": [Q, A], "tools": None}] * 1200 + [{"messages": [Q, CALL], "tools": tools}]
    rows = prepare(written(here / "x.jsonl", raw), DEMONSTRATIONS, algorithm="sft").rows
    assert same(rows[0], {"prompt": [Q], "completion": [A], "tools": None})
    assert same(rows[-1], {"prompt": [Q], "completion": [CALL], "tools": tools})


def test_a_late_conversation_makes_all_rows_conversations(here):
    raw = [{"prompt": "q", "completion": "a"}] * 1500 + [{"prompt": [Q, A, Q], "completion": [A]}] * 600
    rows = prepare(written(here / "x.jsonl", raw), DEMONSTRATIONS, algorithm="sft").rows
    assert rows.column_names == ["messages"]
    assert (rows[0]["messages"], rows[-1]["messages"]) == ([Q, A], [Q, A, Q, A])


def test_evaluation_data_in_another_shape_is_brought_to_the_same(here):
    texts = written(here / "texts.jsonl", [{"prompt": "p", "completion": "a"}, {"prompt": "q", "completion": "a"}])
    both = [{"prompt": [Q, A, Q], "completion": [A]}, {"prompt": [Q], "completion": [A]}]
    turns = written(here / "turns.jsonl", both)
    seen = []
    job = Job(algorithm="sft", model_name="builtin:tiny", dataset_name=texts, eval_dataset_name=turns)
    train, evaluation = prepare_job(job, DEMONSTRATIONS, seen.append)
    assert train.rows["messages"][1] == [Q, A]
    assert evaluation.rows["messages"][0] == [Q, A, Q, A]
    overlap = [event for event in seen if isinstance(event, Notice)]
    assert [event.code for event in overlap] == ["evaluation-overlap"]
    assert overlap[0].message.startswith("1 of 2 evaluation rows")


def test_rows_that_lack_a_column_have_none_there(here):
    raw = [{"prompt": "p"}] * 1100 + [{"prompt": "p", "late": 1}]
    rows = prepare(written(here / "x.jsonl", raw), PROMPTS, algorithm="grpo").rows
    assert (rows[0]["late"], rows[-1]["late"]) == (None, 1)


def test_a_column_that_begins_late_is_known_before_a_file_is_refused(here):
    raw = [{"a": 1}] * 1100 + [{"question": "q", "answer": "a"}]
    prepared = prepare(written(here / "x.jsonl", raw), DEMONSTRATIONS, algorithm="sft")
    assert prepared.report.unused == {"no answer": 1100}
    with pytest.raises(DataError, match="has the columns 'a', 'question'"):
        prepare(written(here / "y.jsonl", [*raw[:1100], {"question": "q"}]), DEMONSTRATIONS, algorithm="sft")


def test_parts_of_splits_count_raw_rows(here):
    good, bad = {"question": "q", "answer": "a"}, {"question": "q", "answer": ""}
    path = written(here / "x.jsonl", [good, bad] * 1000)
    part = prepare(path, DEMONSTRATIONS, algorithm="sft", split="train[10:14]+train[:1]")
    assert (len(part.rows), part.report.unused) == (3, {"empty answer": 2})
    few = prepare(path, DEMONSTRATIONS, algorithm="sft", max_samples=1001)
    assert (len(few.rows), few.report.unused) == (501, {"empty answer": 500})
    few = prepare(path, DEMONSTRATIONS, algorithm="sft", split="train[50%:]", max_samples=3)
    assert (len(few.rows), few.report.unused) == (2, {"empty answer": 1})
    with pytest.raises(DataError, match="none of its 1 rows can be used"):
        prepare(path, DEMONSTRATIONS, algorithm="sft", split="train[1:2]")


def test_splits_of_a_folder_together(here):
    (here / "data").mkdir()
    written(here / "data" / "train.jsonl", [{"prompt": "p", "completion": "a"}] * 3)
    written(here / "data" / "test.jsonl", [{"prompt": [Q], "completion": [A]}] * 2)
    rows = prepare("data", DEMONSTRATIONS, algorithm="sft", split="test+train[1:]").rows
    assert [row["prompt"][0]["content"] for row in rows] == ["q", "q", "p", "p"]


def test_reading_stops_where_enough_rows_are_there(here):
    path = Path(written(here / "x.jsonl", [{"question": "q", "answer": "a"}] * 3000))
    path.write_text(path.read_text() + "{ broken")
    assert len(prepare(str(path), DEMONSTRATIONS, algorithm="sft", max_samples=100).rows) == 100


def test_times_of_a_dataset_stay_times():
    when = datetime(2024, 5, 1, 10)  # noqa: DTZ001 - Arrow has such times too
    rows = datasets.Dataset.from_list([{"prompt": "p", "when": when}] * 3)
    rows.save_to_disk("saved")
    rows.to_parquet("x.parquet")
    for source in (rows, "saved", "x.parquet"):
        assert prepare(source, PROMPTS, algorithm="grpo").rows["when"][0] == when


def test_values_that_nothing_can_hold_are_told():
    with pytest.raises(DataError, match=r"training data .* can't be put together: the column 'x' holds complex"):
        prepare([{"prompt": "p", "x": 1j}], PROMPTS, algorithm="grpo")


def test_a_job_with_rows_in_memory():
    job = Job(algorithm="sft", model_name="builtin:tiny", dataset_name=[{"text": "t"}])
    assert prepare_job(job, DEMONSTRATIONS, ignore)[0].rows.to_list() == [{"text": "t"}]
