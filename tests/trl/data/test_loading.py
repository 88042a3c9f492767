"""Rows from files, folders, saved datasets, Python and the hub, and what is said when there are none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

datasets = pytest.importorskip("datasets")

from aligntune_core.data.loading import load_rows  # noqa: E402 - after the skip
from aligntune_core.errors import DataError  # noqa: E402 - after the skip

ROWS = [{"question": f"q{number}", "answer": f"a{number}"} for number in range(10)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(*arguments, **options):
    with pytest.raises(DataError) as caught:
        load_rows(*arguments, **options)
    return caught.value


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.jsonl", LINES),
        ("x.json", json.dumps(ROWS)),
        ("x.csv", "question,answer\n" + "".join(f"{row['question']},{row['answer']}\n" for row in ROWS)),
        ("x.tsv", "question\tanswer\n" + "".join(f"{row['question']}\t{row['answer']}\n" for row in ROWS)),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_files(name, content, packed):
    path = Path(name + ".gz" if packed else name)
    path.write_bytes(gzip.compress(content.encode()) if packed else content.encode())
    assert load_rows(f"./{path}").to_list() == ROWS


def test_paths_with_brackets_are_no_patterns(here):
    Path("x[1].jsonl").write_text(LINES)
    assert load_rows("x[1].jsonl").to_list() == ROWS
    (here / "x[1]").mkdir()
    (here / "x[1]" / "train.jsonl").write_text(LINES)
    assert "read as a pattern" in refusal("x[1]").message


def test_parquet_and_text_files():
    datasets.Dataset.from_list(ROWS).to_parquet("x.parquet")
    assert load_rows("x.parquet").to_list() == ROWS
    Path("x.txt").write_text("one\ntwo\n")
    assert load_rows("x.txt")["text"] == ["one", "two"]


def test_table_cells_stay_the_text_they_are():
    Path("x.csv").write_text("prompt,completion\nzip,007\ncode,NA\nempty,\nnull,null\n")
    assert load_rows("x.csv")["completion"] == ["007", "NA", "", "null"]


def test_texts_stay_as_they_are_when_a_late_row_has_another_type():
    """`datasets` by itself quotes texts that share a piece of 10 MB with a number."""
    text = "x" * 1000
    Path("x.jsonl").write_text((json.dumps({"a": text}) + "\n") * 12000 + '{"a": 3}\n{"a": "", "late": 1}\n')
    rows = load_rows("x.jsonl")
    assert set(rows["a"][:-2]) == {text}
    assert rows[-1]["late"] == 1


def test_folders_have_the_splits_that_their_files_name(here):
    (here / "data").mkdir()
    (here / "data" / "train.jsonl").write_text(LINES)
    (here / "data" / "test.jsonl").write_text(LINES.splitlines()[0])
    assert len(load_rows("data")) == 10
    assert len(load_rows("data", "test")) == 1
    error = refusal("data", "dev")
    assert "no split 'dev'; it has train, test" in error.message


def test_saved_datasets():
    rows = datasets.Dataset.from_list(ROWS)
    rows.save_to_disk("one")
    datasets.DatasetDict(train=rows, test=rows.select([0])).save_to_disk("two")
    assert load_rows("one").to_list() == ROWS
    assert load_rows("two", "test").to_list() == ROWS[:1]
    assert "no split 'dev'; it has train, test" in refusal("two", "dev").message
    assert "no split 'test'; it has train" in refusal("one", "test").message


@pytest.mark.parametrize("name", ["x.jsonl", "saved", "python", "builtin"])
def test_a_part_of_a_split(name):
    Path("x.jsonl").write_text(LINES)
    rows = datasets.Dataset.from_list(ROWS)
    rows.save_to_disk("saved")
    if name == "builtin":
        assert len(load_rows("builtin:arithmetic", "train[:7]")) == 7
        assert len(load_rows("builtin:arithmetic", "test[:50%]")) == 20
        return
    source = rows if name == "python" else name
    assert load_rows(source, "train[:20%]").to_list() == ROWS[:2]
    assert load_rows(source, "train[8:]+train[:1]").to_list() == [*ROWS[8:], ROWS[0]]
    assert "can't be read" in refusal(source, "train[:x]").message


def test_max_samples_takes_the_first_rows():
    assert load_rows(ROWS, max_samples=3).to_list() == ROWS[:3]
    assert load_rows(ROWS, max_samples=100).to_list() == ROWS


def test_data_given_in_python():
    rows = datasets.Dataset.from_list(ROWS)
    assert load_rows(rows) is rows
    assert load_rows(datasets.DatasetDict(train=rows, test=rows.select([0])), "test").to_list() == ROWS[:1]
    assert load_rows([{"a": "x"}, {"b": "y"}]).to_list() == [{"a": "x", "b": None}, {"a": None, "b": "y"}]
    assert "take" in refusal(rows.to_iterable_dataset()).fix
    assert "can't be a int" in refusal(3).message
    assert load_rows([{"a": 1}, {"a": "x"}, {"a": 2.5}]).to_list() == [{"a": 1}, {"a": "x"}, {"a": 2.5}]
    assert "'a' holds complex" in refusal([{"a": 1j}]).message
    assert "3, which is not text" in refusal([{3: 1}]).message
    assert "no split 'test'" in refusal(rows, "test").message


def test_a_broken_line_is_told_even_beyond_the_first_look():
    Path("x.jsonl").write_text((json.dumps({"a": "x" * 1000}) + "\n") * 3000 + '{"a": "x\n')
    error = refusal("x.jsonl")
    assert "x.jsonl:3001: this is not JSON" in error.message
    assert error.__cause__ is not None


def test_files_of_a_folder_may_have_other_columns(here):
    (here / "data").mkdir()
    (here / "data" / "a.jsonl").write_text('{"a": "x"}\n')
    (here / "data" / "b.jsonl").write_text('{"b": {"c": 1}}\n')
    assert load_rows("data").to_list() == [{"a": "x", "b": None}, {"a": None, "b": {"c": 1}}]


def test_a_missing_file_is_no_hub_id():
    Path("train.jsonl").write_text(LINES)
    assert "Did you mean 'train.jsonl'?" in refusal("trian.jsonl").fix


def missing(name):
    return datasets.exceptions.DatasetNotFoundError(f"Dataset '{name}' doesn't exist on the Hub or cannot be accessed.")


@pytest.mark.parametrize(
    ("name", "raised", "message", "fix"),
    [
        ("a/b", missing("a/b"), "the hub has no dataset 'a/b'", "spelling"),
        (
            "a/b",
            datasets.exceptions.DatasetNotFoundError("Dataset 'a/b' is a gated dataset on the Hub. Visit ..."),
            "'a/b' is gated",
            "https://huggingface.co/datasets/a/b",
        ),
        (
            "a/b",
            ValueError(
                "Config name is missing.\nPlease pick one among the available configs: ['main', 'socratic']\n"
                "Example of usage:\n\t`load_dataset('a/b', 'main')`"
            ),
            "several configs: main, socratic",
            "'a/b:main'",
        ),
        (
            "a/b:socratik",
            ValueError("BuilderConfig 'socratik' not found. Available: ['main', 'socratic']"),
            "no config 'socratik'",
            "'socratic'",
        ),
        (
            "a/b",
            ValueError("Unknown split \"train\". Should be one of ['test']."),
            "no split 'train'; it has test",
            "test",
        ),
        (
            "a/b",
            ConnectionError("Couldn't reach 'a/b' on the Hub (OfflineModeIsEnabled)"),
            "can't be reached",
            "network",
        ),
        ("a/b", RuntimeError("Dataset scripts are no longer supported, but found b.py"), "is a script", "parquet"),
        ("a/b", KeyError("odd"), "can't be loaded: KeyError: 'odd'", "above"),
    ],
)
def test_failures_of_the_hub(monkeypatch, name, raised, message, fix):
    asked = []

    def load_dataset(*arguments, **options):
        asked.append((arguments, options))
        raise raised

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    error = refusal(name)
    assert message in error.message
    assert fix in error.fix
    assert error.__cause__ is raised
    repo, _, config = name.partition(":")
    assert asked == [((repo, config or None), {"split": "train"})]


def test_offline_for_real(monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    error = refusal("nobody-at-all/no-such-dataset")
    assert "nobody-at-all/no-such-dataset" in error.message
    assert error.__cause__ is not None


def test_nothing_is_printed_and_settings_are_put_back(capfd):
    Path("x.jsonl").write_text(LINES * 3)
    Path("y.csv").write_text("a,b\n" + "1,2\n" * 300000 + "1,2,3\n")
    datasets.logging.set_verbosity(datasets.logging.ERROR)
    before = datasets.are_progress_bars_disabled(), datasets.logging.get_verbosity()
    load_rows("x.jsonl")
    refusal("y.csv")
    assert (datasets.are_progress_bars_disabled(), datasets.logging.get_verbosity()) == before
    assert capfd.readouterr() == ("", "")
