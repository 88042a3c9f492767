"""Datasets ready to train on."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

datasets = pytest.importorskip("datasets")

from aligntune_core.algorithms import DatasetKind  # noqa: E402 - after the skip
from aligntune_core.data.prepare import prepare, prepare_job  # noqa: E402 - after the skip
from aligntune_core.errors import DataError  # noqa: E402 - after the skip
from aligntune_core.events import DataReady, Notice  # noqa: E402 - after the skip
from aligntune_core.job import Job  # noqa: E402 - after the skip

DEMONSTRATIONS, PAIRS = DatasetKind.DEMONSTRATIONS, DatasetKind.PAIRS
REAL = Path(__file__).parents[4] / "shared" / "data"
Q, A = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}


def real(name):
    if not (REAL / name).exists():
        pytest.skip(f"{REAL / name} is not on this machine")
    return str(REAL / name)


def job(**keys):
    return Job(**{"algorithm": "sft", "model_name": "builtin:tiny", **keys})


def refusal(source, kind=DEMONSTRATIONS, **options):
    with pytest.raises(DataError) as caught:
        prepare(source, kind, algorithm="sft", **options)
    return caught.value


@pytest.mark.parametrize(
    ("name", "kind", "known", "rows", "columns"),
    [
        ("alpaca_en_demo.json", DEMONSTRATIONS, "alpaca", 999, ["prompt", "completion"]),
        ("gsm8k_test.jsonl", DEMONSTRATIONS, "question_answer", 1319, ["prompt", "completion"]),
        ("gsm8k_test.jsonl", DatasetKind.PROMPTS, "question_answer", 1319, ["question", "answer", "prompt"]),
        ("hh_rlhf_harmless_base_test.jsonl.gz", PAIRS, "hh_rlhf", 2303, ["prompt", "chosen", "rejected"]),
        ("dpo_en_demo.json", PAIRS, "sharegpt_preference", 300, ["prompt", "chosen", "rejected"]),
        ("kto_en_demo.json", DatasetKind.LABELLED, "labelled_messages", 300, ["prompt", "completion", "label"]),
        ("kto_en_demo.json", DEMONSTRATIONS, "labelled_messages", 150, ["messages"]),
    ],
)
def test_real_datasets(name, kind, known, rows, columns):
    prepared = prepare(real(name), kind, algorithm="any")
    assert prepared.report.format == known
    assert len(prepared.rows) == prepared.report.rows == rows
    assert prepared.rows.column_names == columns
    assert prepared.report.first == prepared.rows[0]
    json.dumps(prepared.report.to_dict())


def test_real_dialogues_are_whole_when_put_together_again():
    source = real("hh_rlhf_harmless_base_test.jsonl.gz")
    prepared = prepare(source, PAIRS, algorithm="dpo")
    raw = datasets.load_dataset("json", data_files=source, split="train")["chosen"]
    spoken = {"user": "Human", "assistant": "Assistant"}
    whole = {
        " ".join(
            "".join(f"{spoken[turn['role']]}: {turn['content']} " for turn in row["prompt"] + row["chosen"]).split()
        )
        for row in prepared.rows
    }
    assert whole <= {" ".join(text.split()) for text in raw}
    assert max(len(row["prompt"]) for row in prepared.rows) >= 5
    assert all(row["prompt"][-1]["role"] == "user" for row in prepared.rows)
    assert prepared.report.unused == {"empty answer": 4, "chosen and rejected differ before the last answer": 5}


def test_seed_tasks_are_in_no_known_format():
    error = refusal(real("seed_tasks.jsonl"))
    assert "missing: 'output'" in error.message


def test_converting_a_thousand_rows_is_quick():
    rows = datasets.Dataset.from_list([{"instruction": "a " * 50, "input": "", "output": "b " * 300}] * 999)
    begin = time.perf_counter()
    prepare(rows, DEMONSTRATIONS, algorithm="sft")
    assert time.perf_counter() - begin < 0.3


def test_rows_that_cannot_be_used_are_counted_by_reason():
    rows = [{"question": "q", "answer": "a"}] * 3 + [{"question": "q", "answer": ""}] * 2 + [{"question": None}]
    prepared = prepare(rows, DEMONSTRATIONS, algorithm="sft")
    assert len(prepared.rows) == 3
    assert prepared.report.unused == {"empty answer": 2, "no answer": 1}


def test_nothing_left_is_an_error_with_the_reasons():
    error = refusal([{"question": "q", "answer": ""}] * 2)
    assert "none of its 2 rows can be used: empty answer (2)" in error.message
    assert "has no rows" in refusal([]).message


def test_a_first_row_with_gaps_does_not_hide_the_format():
    dialogue = "\n\nHuman: q\n\nAssistant: "
    rows = [{"chosen": None, "rejected": None}, {"chosen": dialogue + "a", "rejected": dialogue + "b"}]
    prepared = prepare(rows, PAIRS, algorithm="dpo")
    assert prepared.report.format == "hh_rlhf"
    assert prepared.report.unused == {"no dialogue": 1}


def test_one_conversation_of_several_answers_makes_all_rows_conversations():
    prepared = prepare([{"messages": [Q, A]}, {"messages": [Q, A, Q, A]}], DEMONSTRATIONS, algorithm="sft")
    assert prepared.rows["messages"] == [[Q, A], [Q, A, Q, A]]


def test_columns_for_reward_functions_come_through():
    rows = datasets.Dataset.from_list([{"prompt": "p", "answer": "4", "tests": [1, 2]}]).with_format("numpy")
    prepared = prepare(rows, DatasetKind.PROMPTS, algorithm="grpo")
    assert prepared.rows.to_list() == [{"prompt": "p", "answer": "4", "tests": [1, 2]}]


def test_a_job_takes_max_samples_for_training_only_and_the_test_split_for_evaluation():
    seen = []
    train, evaluation = prepare_job(
        job(dataset_name="builtin:instructions", eval_dataset_name="builtin:instructions", max_samples=5),
        DEMONSTRATIONS,
        seen.append,
    )
    assert len(train.rows) == 5
    assert len(evaluation.rows) == 19
    assert [(event.name, event.rows) for event in seen] == [("training data", 5), ("evaluation data", 19)]
    assert all(isinstance(event, DataReady) for event in seen)


def test_a_job_without_evaluation_data():
    train, evaluation = prepare_job(job(dataset_name="builtin:instructions"), DEMONSTRATIONS, print)
    assert len(train.rows) > 100
    assert evaluation is None


def test_an_eval_split_alone_is_one_of_the_training_dataset():
    keys = {"dataset_name": "builtin:instructions", "dataset_split": "train[:9]", "eval_dataset_split": "train[9:12]"}
    train, evaluation = prepare_job(job(**keys), DEMONSTRATIONS, print)
    assert (len(train.rows), len(evaluation.rows)) == (9, 3)
    assert not [row for row in evaluation.rows if row in list(train.rows)]


def test_where_the_evaluation_data_comes_from(tmp_path):
    rows = datasets.Dataset.from_list([{"question": "q", "answer": "a"}] * 4)
    file, folder = tmp_path / "dev.jsonl", tmp_path / "both"
    rows.to_json(file)
    datasets.DatasetDict(train=rows, test=rows.select([0])).save_to_disk(folder)
    for source, count in [
        (str(file), 4),
        (str(folder), 1),
        (rows, 4),
        (datasets.DatasetDict(test=rows.select([0])), 1),
    ]:
        keys = {"dataset_name": "builtin:instructions", "eval_dataset_name": source}
        assert len(prepare_job(job(**keys), DEMONSTRATIONS, print)[1].rows) == count
    with pytest.raises(DataError, match="the very rows that are trained on"):
        prepare_job(job(dataset_name=str(file), eval_dataset_name=str(file)), DEMONSTRATIONS, print)


def test_training_and_evaluation_data_have_one_shape():
    train, evaluation = prepare_job(
        job(dataset_name=[{"messages": [Q, A]}], eval_dataset_name=[{"messages": [Q, A, Q, A]}]), DEMONSTRATIONS, print
    )
    assert train.rows.column_names == evaluation.rows.column_names == ["messages"]
    with pytest.raises(DataError, match="'question_answer' and the evaluation data in 'text'"):
        prepare_job(
            job(dataset_name=[{"question": "q", "answer": "a"}], eval_dataset_name=[{"text": "t"}]),
            DEMONSTRATIONS,
            print,
        )


def test_columns_of_one_dataset_do_not_appear_in_the_other():
    train, evaluation = prepare_job(
        job(dataset_name=[{"prompt": "p", "level": 1}], eval_dataset_name=[{"prompt": "p"}]), DatasetKind.PROMPTS, print
    )
    assert train.rows.column_names == ["prompt", "level"]
    assert evaluation.rows.column_names == ["prompt"]


def test_unusable_rows_are_said():
    seen = []
    rows = [{"question": "q", "answer": "a"}, {"question": "q", "answer": ""}]
    prepare_job(job(dataset_name=rows), DEMONSTRATIONS, seen.append)
    notices = [event for event in seen if isinstance(event, Notice)]
    assert [notice.warning for notice in notices] == [True]
    assert notices[0].message == "1 of 2 rows of the training data can't be used: empty answer (1)."


def test_a_column_mapping_of_a_job():
    rows = [{"query": "q", "reply": "a"}]
    with pytest.raises(DataError, match=r"column_mapping=\{'query': 'prompt', 'reply': 'completion'\}"):
        prepare_job(job(dataset_name=rows), DEMONSTRATIONS, print)
    mapping = {"query": "question", "reply": "answer"}
    train, _ = prepare_job(job(dataset_name=rows, column_mapping=mapping), DEMONSTRATIONS, print)
    assert train.rows.to_list() == [{"prompt": [Q], "completion": [A]}]
