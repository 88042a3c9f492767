"""A plugin brings data formats with kinds of rows of its own; the core reads, checks and prepares data by them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from aligntune_core import Algorithm, Capability, DataError, Encoded, Encoding, Job, hookimpl
from aligntune_core.check.ask import check_job
from aligntune_core.check.decide import decide
from aligntune_core.data import FORMATS, Format, UnusableRow, prepare_job
from aligntune_core.data.formats.own import code_of, own_formats

DISTIL = Algorithm("gkd", "Distillation", "distillation", "teacher_answers", "arXiv 2306.13649")
ROWS = [{"question": f"{n}+2?", "teacher": f"{n + 2}", "score": n / 4} for n in range(8)]


def read_taught(row):
    if not row["teacher"]:
        raise UnusableRow("the teacher says nothing")
    return {"prompt": row["question"], "taught": row["teacher"], "score": row.get("score")}


def read_dialog(row):
    return {"prompt": row["me"], "completion": row["it"]}


TAUGHT = Format("taught", ("question", "teacher"), {"teacher_answers": read_taught}, ("score",))
DIALOG = Format("dialog", ("me", "it"), {"demonstrations": read_dialog})


def encode(row):
    text = row["prompt"] + row.get("taught", "")
    return (Encoded([ord(letter) for letter in text], [1] * len(text)),)


@pytest.fixture
def known(backends, fake):
    def make(*formats, gives=None):
        rows = [Capability(name, features={"full", "cpu", "evaluation"}) for name in ("sft", "gkd")]
        acme = fake("acme", *rows, algorithms=(DISTIL,))
        acme.aligntune_formats = hookimpl(gives or (lambda: formats))
        acme.aligntune_encoding = hookimpl(lambda: Encoding(encode=encode, decode=lambda ids: "".join(map(chr, ids))))
        return backends(acme, "plain")

    return make


def gkd(job, **changes):
    return job(algorithm="gkd", **{"dataset_name": ROWS, **changes})


def as_job(values):
    return Job.model_validate(values)


def test_rows_of_its_own_kind_are_prepared_by_its_own_function(job):
    events = []
    rows = [*ROWS, {"question": "?", "teacher": "", "score": 0}]
    train, evaluation = prepare_job(as_job(gkd(job, dataset_name=rows)), "teacher_answers", events.append, [TAUGHT])
    assert evaluation is None
    assert train.rows[1] == {"prompt": "1+2?", "taught": "3", "score": 0.25}
    assert (train.report.format, train.report.rows) == ("taught", 8)
    assert train.report.unused == {"the teacher says nothing": 1}
    assert events[0] == train.report


def test_a_column_mapping_names_its_own_columns(job):
    rows = [{"q": "2+2?", "teacher": "4"}]
    values = gkd(job, dataset_name=rows, column_mapping={"q": "question"})
    train, _ = prepare_job(as_job(values), "teacher_answers", print, [TAUGHT])
    assert train.rows[0]["prompt"] == "2+2?"


def test_evaluation_rows_that_stand_in_the_training_data_are_told(job):
    events = []
    other = [{"question": "1+2?", "teacher": "another", "score": 0.1}]
    values = gkd(job, eval_dataset_name=[ROWS[3], *other])
    prepare_job(as_job(values), "teacher_answers", events.append, [TAUGHT])
    (notice,) = [event for event in events if type(event).__name__ == "Notice"]
    assert notice.message.startswith("1 of 2 evaluation rows are in the training data too")


def test_a_format_of_its_own_serves_a_kind_of_the_core_s(job):
    values = job(dataset_name=[{"me": "2+2?", "it": "4"}])
    train, _ = prepare_job(as_job(values), "demonstrations", print, [DIALOG])
    assert train.report.format == "dialog"
    with pytest.raises(DataError, match="has the columns 'me', 'it'"):
        prepare_job(as_job(values), "demonstrations", print)


def test_a_job_is_checked_by_the_formats_of_its_backend(known, job):
    registry = known(TAUGHT, DIALOG)
    verdict = check_job(gkd(job, backend="acme"), backends=registry)
    assert verdict.ok, verdict.problems
    assert verdict.examination.data[0].format == "taught"
    assert verdict.examination.lengths.rows == 8
    assert check_job(gkd(job), level="fast", backends=registry).backend == "acme"
    dialog = job(dataset_name=[{"me": "2+2?", "it": "4"}])
    assert decide({**dialog, "backend": "acme"}, backends=registry).ok
    (problem,) = decide({**dialog, "backend": "plain"}, backends=registry).errors
    assert problem.code == "data"


def test_data_of_another_format_is_told_with_the_nearest(known, job):
    Path("rows.jsonl").write_text(json.dumps({"question": "2+2?", "techer": "4"}) + "\n")
    (problem,) = decide(gkd(job, backend="acme", dataset_name="rows.jsonl"), backends=known(TAUGHT)).errors
    assert "it learns from teacher answers. The closest format is 'taught'" in problem.message
    assert "column_mapping={'techer': 'teacher'}" in problem.fix


BROKEN = {
    "fails": (lambda: 1 / 0, "ZeroDivisionError"),
    "gives one": (lambda: TAUGHT, "not iterable"),
    "gives names": (lambda: ["taught"], "it gave a str, not a Format"),
    "has the name of a core's": (
        lambda: [Format("alpaca", ("a",), {"teacher_answers": read_taught})],
        "the format 'alpaca' is the core's, and means another one there",
    ),
    "has two of one name": (lambda: [TAUGHT, Format("taught", ("a",), {"pairs": read_dialog})], "two formats 'taught'"),
    "has no columns": (lambda: [Format("own", (), {"pairs": read_dialog})], "needs (), not a tuple of columns"),
    "has one text": (lambda: [Format("own", "ab", {"pairs": read_dialog})], "needs 'ab', not a tuple of columns"),
    "has no functions": (lambda: [Format("own", ("a",), {"pairs": 3})], "has no function that makes rows"),
    "misspells": (lambda: [Format("own", ("a",), {"Pairs": read_dialog})], "a kind of dataset is called 'Pairs'"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_hook_that_gives_no_formats_is_its_backends_failure(known, job, fault):
    gives, said = BROKEN[fault]
    registry = known(gives=gives)
    (problem,) = decide(job(backend="acme"), backends=registry).errors
    assert problem.code == "backend-broken"
    assert "failed while it said what its data formats are" in problem.message
    assert said in problem.message
    assert decide(job(), backends=registry).backend == "plain"


def test_a_format_that_the_core_has_is_welcome():
    assert own_formats([FORMATS[0], TAUGHT])[0].name == "taught"
    assert len(own_formats([TAUGHT, TAUGHT])) == 1


@pytest.mark.parametrize(
    ("reader", "said"),
    [
        (lambda row: row["nothing"], "KeyError: 'nothing'"),
        (lambda row: [row], "it gave a list for a row, not a dict"),
        (lambda row: {1: row}, "it gave a dict for a row"),
    ],
)
def test_a_function_that_fails_on_a_row_is_named_with_its_format(known, job, reader, said):
    odd = Format("odd", ("question",), {"teacher_answers": reader})
    values = gkd(job, backend="acme")
    with pytest.raises(DataError) as refused:
        prepare_job(as_job(values), "teacher_answers", print, [odd])
    assert "the format 'odd', which the backend brings, failed on a row" in str(refused.value)
    assert said in str(refused.value)
    (problem,) = check_job(values, backends=known(odd)).errors
    assert said in problem.message


def test_a_test_of_rows_that_fails_is_named_with_its_format(known, job):
    odd = Format("odd", ("question",), {"teacher_answers": read_taught}, fits=lambda row: row["x"])
    (problem,) = decide(gkd(job, backend="acme"), backends=known(odd)).errors
    assert "the format 'odd', which the backend brings, failed on a row: KeyError: 'x'" in problem.message


def test_rows_are_kept_by_the_code_that_made_them(module_file, plugin_folder):
    source = "def read(row): return {{'prompt': row['a'] + {!r}}}\n"

    def code():
        sys.modules.pop("acme_rows", None)
        module = __import__("acme_rows")
        return code_of(own_formats([Format("own", ("a",), {"own_rows": module.read})]))

    from aligntune_core.data.row_code import row_code

    module_file("acme_rows", source.format("x"))
    first = code()
    assert first
    row_code.cache_clear()
    assert code() == first
    module_file("acme_rows", source.format("longer"))
    row_code.cache_clear()
    assert code() != first
    assert plugin_folder


def test_rows_of_a_function_whose_code_is_not_known_are_not_kept():
    state = []
    assert code_of(own_formats([Format("own", ("a",), {"own_rows": lambda row: {"a": [*state, row]}})])) is None
    assert code_of(own_formats([Format("own", ("a",), {"own_rows": dict})])) is None
    assert code_of(()) == ""


def test_rows_that_hold_more_than_its_own_kind_needs_are_read_by_its_own_format(job):
    def read_question(row):
        return {"asked": row["prompt"]}

    asked = Format("asked", ("prompt",), {"teacher_answers": read_question})
    values = gkd(job, dataset_name=[{"prompt": "2+2?", "completion": "4"}])
    train, _ = prepare_job(as_job(values), "teacher_answers", print, [asked])
    assert (train.report.format, train.rows[0]) == ("asked", {"asked": "2+2?"})
