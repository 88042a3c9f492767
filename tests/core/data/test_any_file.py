"""Whatever a file or a folder holds, a glance at it gives rows or says what is broken."""

from __future__ import annotations

import csv
import gzip
import json
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aligntune_core.data import Inspected, first_broken_line, inspect
from aligntune_core.data.files.paths import locate
from aligntune_core.data.files.stream import read_rows
from aligntune_core.errors import DataError

FREELY = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


NAMES = [
    *("a.json", "a.jsonl", "a.ndjson", "a.csv", "a.tsv", "a.txt", "a.parquet"),
    *("a.json.gz", "a.csv.gz", "a.parquet.gz", "a.dat"),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
rows = st.lists(st.dictionaries(st.sampled_from(["a", "b", "prompt", ""]), json_values, max_size=3), max_size=4)
texts = (
    rows.map(lambda made: "\n".join(map(json.dumps, made)).encode())
    | st.tuples(rows, st.sampled_from([None, 1])).map(lambda made: json.dumps(made[0], indent=made[1]).encode())
    | st.lists(st.lists(st.text(max_size=3), max_size=3).map(",".join), max_size=4).map(
        lambda made: "\n".join(made).encode(errors="replace")
    )
    | st.binary(max_size=9).map(lambda inner: b"PAR1" + inner + b"PAR1")
    | st.binary(max_size=60)
    | st.sampled_from([b'{"a": ' + b"1" * 5000 + b"}", b"[" * 100_000, b'{"a":' * 100_000, b"[1," * 60_000])
)
ODD_BYTES = [
    *(b"\n", b"{", b"}", b"[", b"]", b",", b'"', b"\xff", b"\r", b"\0", b"\xef\xbb\xbf", "\u2028".encode(), b"NaN"),
    *(b"1" * 5000, b"[" * 3000),
]
slips = st.lists(
    st.tuples(st.sampled_from(["cut", "put", "drop"]), st.floats(0, 1), st.sampled_from(ODD_BYTES)), max_size=3
)


def slipped(content, made):
    for kind, share, odd in made:
        at = int(share * len(content))
        content = content[:at] + {"cut": b"", "put": odd + content[at:], "drop": content[at + 1 :]}[kind]
    return content


contents = st.tuples(texts, slips, st.sampled_from(["plain", "packed", "packed and then broken"])).map(
    lambda drawn: (
        slipped(drawn[0], drawn[1])
        if drawn[2] == "plain"
        else gzip.compress(slipped(drawn[0], drawn[1]))
        if drawn[2] == "packed"
        else slipped(gzip.compress(drawn[0]), drawn[1])
    )
)


def expect_rows_or_an_error(name, limit=1024 * 1024):
    try:
        found = inspect(name, limit)
    except DataError as error:
        str(error).encode()
        return
    assert isinstance(found, Inspected)
    assert all(isinstance(column, str) for column in found.columns)
    assert set(found.first) <= set(found.columns)


@settings(FREELY, max_examples=200)
@given(name=st.sampled_from(NAMES), content=contents, limit=st.sampled_from([4, 20, 1000, 1024 * 1024]))
def test_any_bytes_are_rows_or_an_error(name, content, limit):
    Path(name).write_bytes(content)
    expect_rows_or_an_error(name, limit)
    fault = first_broken_line(name)
    assert fault is None or isinstance(fault, DataError)
    Path(name).unlink()


strings = st.text(max_size=9) | st.sampled_from(["\n", '"', "\\", "é\u2028\U0001f600", "{", "}, {", "[", "]", " " * 9])
cell = strings.map(lambda text: text.replace("\r", ""))  # the csv module does not quote it
objects = st.lists(
    st.dictionaries(strings, strings | st.integers() | st.booleans() | st.none() | st.lists(strings), max_size=3),
    min_size=1,
    max_size=6,
)


@contextmanager
def read_in_blocks_of(count):
    with pytest.MonkeyPatch.context() as patch:
        for module in ("content", "json_rows", "table_rows"):
            patch.setattr(f"aligntune_core.data.files.{module}.BLOCK", count)
        yield


@settings(FREELY, max_examples=150)
@given(
    made=objects,
    block=st.integers(1, 12),
    written=st.sampled_from([{"indent": 2}, {"indent": 0, "ensure_ascii": False}, {"ensure_ascii": False}, {}]),
    form=st.sampled_from(["lines", "lines \r\n", "list"]),
    is_packed=st.booleans(),
)
def test_rows_are_what_they_are_wherever_a_block_ends(made, block, written, form, is_packed):
    end = "\r\n" if form == "lines \r\n" else "\n"
    text = "".join(json.dumps(row, ensure_ascii=written.get("ensure_ascii", True)) + end for row in made)
    if form == "list":
        text = json.dumps(made, **written) + "\n"
    path = Path("a.json.gz" if is_packed else "a.json")
    path.write_bytes(gzip.compress(text.encode()) if is_packed else text.encode())
    with read_in_blocks_of(block):
        assert list(read_rows(path)) == made


@settings(FREELY, max_examples=100)
@given(
    cells=st.lists(st.tuples(cell, cell), min_size=1, max_size=6),
    block=st.integers(1, 12),
    delimiter=st.sampled_from([",", "\t"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_cells_are_what_they_are_wherever_a_block_ends(cells, block, delimiter, end):
    path = Path("a.csv" if delimiter == "," else "a.tsv")
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator=end).writerows([("one", "two"), *cells])
    with read_in_blocks_of(block):
        assert [tuple(row.values()) for row in read_rows(path)] == cells


@settings(FREELY, max_examples=100)
@given(name=st.sampled_from(NAMES[:6]), content=contents, block=st.integers(1, 12))
def test_a_fault_is_the_same_wherever_a_block_ends(name, content, block):
    Path(name).write_bytes(content)
    with read_in_blocks_of(block):
        found = first_broken_line(name)
    assert str(found) == str(first_broken_line(name))


@settings(FREELY, max_examples=60)
@given(
    st.text() | st.sampled_from(["~nobody/x.json", "a" * 300 + ".json", "a/" * 3000, "\0.json", "/etc/passwd/x.json"])
)
def test_any_name_is_a_place_or_an_error(name):
    expect_rows_or_an_error(name)


saved_values = st.sampled_from(
    [
        *(b'{"splits": ["train"]}', b'{"splits": [1]}', b'{"splits": "train"}', b'{"splits": []}', b"[", b"1" * 5000),
        *(b'{"features": [1]}', b'{"features": "a"}', b'{"features": {"a": 1}}', b"[" * 100_000, b"\xff", b"null"),
        *(b'{"splits": ["a\\u0000"]}', b'{"splits": ["' + b"a" * 300 + b'"]}', b'{"splits": {"train": 1}}'),
    ]
)
SAVED = ["dataset_dict.json", "dataset_info.json", "state.json", "train/dataset_info.json", "x.json", "x.csv", ".h.csv"]


@settings(FREELY, max_examples=100)
@given(
    files=st.dictionaries(st.sampled_from(SAVED), saved_values | json_values.map(lambda it: json.dumps(it).encode()))
)
def test_any_folder_is_a_dataset_or_an_error(files):
    for name in SAVED:
        file = Path("saved", name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(files[name]) if name in files else file.unlink(missing_ok=True)
    expect_rows_or_an_error("saved")


good_lines = st.dictionaries(st.sampled_from(["a", "b"]), json_values, min_size=1).map(json.dumps)


@settings(FREELY, max_examples=100)
@given(
    before=st.lists(good_lines | st.sampled_from(["", "  "]), max_size=5),
    broken=st.sampled_from(['{"a": ', "{a: 1}", '{"a": 1,}', "[1", "3", "null", '"text"', '{"a": ' + "1" * 5000 + "}"])
    | good_lines.map(lambda line: line[:-1]),
    after=st.lists(good_lines, max_size=3),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_a_broken_line_is_told_by_its_number(before, broken, after, end):
    lines = ['{"a": 1}', *before, broken, *after]
    Path("a.jsonl").write_text("".join(line + end for line in lines), encoding="utf-8", newline="")
    with pytest.raises(DataError) as refused:
        inspect("a.jsonl")
    assert str(refused.value).startswith(f"a.jsonl:{len(before) + 2}: ")
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"a": 1}\n{"a": ' + "1" * 5000 + "}\n", "a.json:2: this is not JSON: a number has too many digits."),
        ('[{"a": 1},\n{"a": ' + "1" * 5000 + "}]\n", "a.json:2: this is not JSON: a number has too many digits."),
        ('{"a": 1}\n{"a": ' + "[" * 100_000 + "\n", "a.json:2: this is not JSON: it is nested too deeply."),
    ],
)
def test_json_that_python_cannot_hold(content, told):
    Path("a.json").write_text(content)
    with pytest.raises(DataError) as refused:
        inspect("a.json")
    assert refused.value.message == told


def test_a_long_file_is_told_broken_where_it_is():
    Path("a.json").write_text('[{"a": 1},\n{"a": ' + "1" * 5000 + "},\n" + '{"a": 1},\n' * 1000)
    with pytest.raises(DataError, match=r"a.json:2: this is not JSON: a number has too many digits"):
        inspect("a.json", limit_bytes=6000)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"features": "abc"}'])
def test_a_saved_dataset_whose_description_is_odd(content):
    Path("saved").mkdir()
    Path("saved/state.json").touch()
    Path("saved/dataset_info.json").write_bytes(content)
    with pytest.raises(DataError, match="'saved' is not whole"):
        inspect("saved")


@pytest.mark.parametrize(
    ("name", "told"), [("~nobody_here/x.json", "home"), ("a" * 300 + ".json", "File name too long")]
)
def test_a_place_that_cannot_be(name, told):
    with pytest.raises(DataError, match=told):
        locate(name)
