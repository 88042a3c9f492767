"""What is seen of a local file before any package is asked."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import pytest

from aligntune_core.data.files.glance import first_broken_line, inspect, is_local
from aligntune_core.errors import DataError

REAL = Path(__file__).parents[4] / "shared" / "data"
GOOD = '{"prompt": "a", "completion": "b"}\n'


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(name, **options):
    with pytest.raises(DataError) as caught:
        inspect(str(name), **options)
    return caught.value


@pytest.mark.parametrize(
    ("name", "local"),
    [
        *[(name, False) for name in ("org/name", "org/name:config", "org/n.v1", "builtin:x", "name")],
        *[(name, True) for name in ("rows.jsonl", "a/rows.csv.gz", "./x", "../x", "/x", "~/x", "folder")],
    ],
)
def test_a_path_is_told_from_a_hub_id(here, name, local):
    (here / "folder").mkdir()
    assert is_local(name) is local


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.jsonl", GOOD * 3),
        ("blank.jsonl", GOOD + "\n" + GOOD * 2),
        ("rows.json", json.dumps([json.loads(GOOD)] * 3, indent=1)),
        ("lines.json", GOOD * 3),
        ("rows.csv", "prompt,completion\n" + "a,b\n" * 3),
        ("rows.tsv", "prompt\tcompletion\n" + "a\tb\n" * 3),
        ("quoted.csv", 'prompt,completion\na,b\n"x\ny","p,q"\na,b'),
        ("bom.csv", "\ufeffprompt,completion\n" + "a,b\n" * 3),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_columns_first_row_and_number_of_rows(here, name, content, packed):
    data = content.encode()
    path = here / (name + ".gz" if packed else name)
    path.write_bytes(gzip.compress(data) if packed else data)
    seen = inspect(str(path))
    assert seen.columns == ("prompt", "completion")
    assert seen.first == {"prompt": "a", "completion": "b"}
    assert seen.rows == 3
    assert first_broken_line(str(path)) is None


def test_text_lines():
    Path("rows.txt").write_text("one\ntwo\n")
    seen = inspect("rows.txt")
    assert (seen.columns, seen.first, seen.rows) == (("text",), {"text": "one"}, 2)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.jsonl", GOOD * 2 + '{"prompt": "a", "compl\n' + GOOD, "x.jsonl:3: this is not JSON"),
        ("x.jsonl", GOOD + "[1]\n", "x.jsonl:2: a row is [1], not an object"),
        ("x.json", '[\n{"a": 1},\n{"a": }\n]', "x.json:3: this is not JSON"),
        ("x.json", '[\n{"a": 1}\n{"a": 2}\n]', "x.json:3: this is not JSON"),
        ("x.json", '[\n{"a": 1},\n{"a": 2}\n', "x.json:4: this is not JSON"),
        ("x.json", '[{"a": 1},\n null]', "x.json:2: a row is null"),
        ("x.json", '{\n "data": []\n}', "'x.json' does not hold a list of objects"),
        ("x.json", "3", "x.json:1: a row is 3"),
        ("x.json", "[]", "'x.json' has no rows"),
        ("x.jsonl", "", "'x.jsonl' is empty"),
        ("x.jsonl", " \n\n", "'x.jsonl' is empty"),
        ("x.jsonl", (GOOD + '{"prompt": "é"}').encode("latin-1"), "x.jsonl:2: the text is not UTF-8"),
        ("x.csv", "a,b\n1,2\n1,2,3\n1,2\n", "x.csv:3: the number of cells in the row is 3, in the header 2"),
        ("x.csv", 'a,b\n"1\n1",2\n1\n', "x.csv:4: the number of cells in the row is 1"),
        ("x.csv", "a,a\n1,2\n", "x.csv:1: two columns are called 'a'"),
        ("x.csv", "a,b\n", "'x.csv' has no rows"),
        ("x.jsonl.gz", gzip.compress((GOOD * 1000).encode())[:40], "can't be unpacked"),
        ("x.jsonl.gz", GOOD, "can't be unpacked"),
        ("x.parquet", b"PAR1....", "not a whole parquet file"),
        ("x.xlsx", "a", "of no known kind"),
    ],
)
def test_a_broken_file_is_told_with_its_line(name, content, message):
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert message in refusal(f"./{name}").message.replace("./", "")


def test_a_misspelt_file_gets_the_close_match():
    Path("train.jsonl").write_text(GOOD)
    assert "train.jsonl" in refusal("trian.jsonl").fix
    assert "nowhere" in refusal("nowhere/train.jsonl").fix


def test_a_folder_of_one_kind_is_read_and_of_several_refused(here):
    assert "holds no data files" in refusal(here).message
    for name in ("train.jsonl", "test.jsonl"):
        (here / name).write_text(GOOD)
    seen = inspect(str(here))
    assert seen.data.is_folder
    assert seen.columns == ("prompt", "completion")
    (here / "more.csv").write_text("a\n1\n")
    assert "several kinds: csv, json" in refusal(here).message


def test_a_saved_dataset_is_known_by_its_files(here):
    (here / "dataset_dict.json").write_text('{"splits": ["train"]}')
    assert "is not whole" in refusal(here).message
    (here / "train").mkdir()
    (here / "train" / "dataset_info.json").write_text('{"features": {"text": {}}}')
    assert inspect(str(here)).columns == ("text",)


@pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.csv", "x.txt"])
def test_a_file_that_is_longer_than_the_limit_is_not_called_broken(name):
    rows = [{"a": f'é{number} \n "q"', "b": str(number)} for number in range(50)]
    if name == "x.csv":
        content = "a,b\n" + "".join(f'"é,\n{row["b"]}",{row["b"]}\n' for row in rows)
    elif name == "x.json":
        content = json.dumps(rows, ensure_ascii=False, indent=2)
    else:
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    Path(name).write_text(content, encoding="utf-8")
    for limit in range(3, len(content.encode()) - 1):
        assert inspect(name, limit).rows is None
    assert inspect(name).rows == 50


def test_what_is_broken_beyond_the_limit_is_found_by_reading_all():
    Path("x.jsonl").write_text(GOOD * 100 + "{\n" + GOOD)
    assert inspect("x.jsonl", 100).rows is None
    fault = first_broken_line("x.jsonl")
    assert fault is not None
    assert "x.jsonl:101:" in fault.message


def test_a_look_into_a_large_file_is_quick():
    Path("x.jsonl").write_text(('{"prompt": "' + "word " * 50 + '"}\n') * 40000)
    begin = time.perf_counter()
    inspect("x.jsonl")
    assert time.perf_counter() - begin < 0.2


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("alpaca_en_demo.json", ("instruction", "input", "output")),
        ("hh_rlhf_harmless_base_test.jsonl.gz", ("chosen", "rejected")),
        ("gsm8k_train.jsonl", ("question", "answer")),
        ("dpo_en_demo.json", ("conversations", "chosen", "rejected")),
    ],
)
def test_real_files(name, columns):
    if not (REAL / name).exists():
        pytest.skip(f"{REAL / name} is not on this machine")
    assert inspect(str(REAL / name)).columns == columns
    assert first_broken_line(str(REAL / name)) is None
