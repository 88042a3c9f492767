"""Rows that were made once are there the next time, unless something they depend on changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

datasets = pytest.importorskip("datasets")

from aligntune_core.algorithms import DatasetKind  # noqa: E402 - after the skip
from aligntune_core.data import conversion  # noqa: E402 - after the skip
from aligntune_core.data.prepare import prepare, prepare_job  # noqa: E402 - after the skip
from aligntune_core.data.row_code import row_code  # noqa: E402 - after the skip
from aligntune_core.errors import DataError  # noqa: E402 - after the skip
from aligntune_core.events import Notice  # noqa: E402 - after the skip
from aligntune_core.job import Job  # noqa: E402 - after the skip
from aligntune_core.machine import entries  # noqa: E402 - after the skip

DEMONSTRATIONS = DatasetKind.DEMONSTRATIONS


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"question": f"q{n}", "answer": f"a{n}"}) + "\n" for n in range(10)))
    return path


@pytest.fixture
def passes(monkeypatch):
    """Counts how often rows were converted."""
    made = []
    convert = conversion._batches

    def counted(*arguments):
        made.append(arguments)
        yield from convert(*arguments)

    monkeypatch.setattr(conversion, "_batches", counted)
    return made


def rows_of(path, **options):
    return prepare(str(path), DEMONSTRATIONS, algorithm="sft", **options)


def let_go():
    """Hold nothing any more, as a process that has ended."""
    for lock in entries._HELD.values():
        os.close(lock)
    entries._HELD.clear()


def entries_in(folder):
    return sorted(each.name for each in folder.iterdir()) if folder.exists() else []


def test_the_second_time_nothing_is_read_or_converted(file, passes):
    first, second = rows_of(file), rows_of(file)
    assert len(passes) == 1
    assert first.rows.to_list() == second.rows.to_list()
    assert first.report == second.report
    assert first.rows._fingerprint == second.rows._fingerprint


def test_two_parts_of_a_split_come_from_one_pass(file, passes):
    train, evaluation = rows_of(file, split="train[:80%]"), rows_of(file, split="train[80%:]")
    assert (len(train.rows), len(evaluation.rows), len(passes)) == (8, 2, 1)


def test_a_changed_file_another_mapping_and_another_kind_are_made_anew(file, passes):
    rows_of(file)
    file.write_text(file.read_text().replace("q0", "Q0"))
    assert rows_of(file).rows[0]["prompt"][0]["content"] == "Q0"
    rows_of(file, column_mapping={"question": "prompt", "answer": "completion"})
    prepare(str(file), DatasetKind.PROMPTS, algorithm="grpo")
    assert len(passes) == 4


def test_a_changed_row_function_gives_new_rows(tmp_path, file):
    source = Path(conversion.__file__).parents[1]
    code = tmp_path / "code" / "aligntune_core"
    shutil.copytree(source, code)
    script = (
        "from aligntune_core.data.prepare import prepare\nfrom aligntune_core.algorithms import DatasetKind as K\n"
        f"print(prepare({str(file)!r}, K.DEMONSTRATIONS, algorithm='sft').rows[0]['prompt'])"
    )

    def run():
        environment = {**os.environ, "PYTHONPATH": str(code.parent)}
        command = [sys.executable, "-c", script]
        return subprocess.run(command, env=environment, text=True, capture_output=True, check=True)

    before = run().stdout
    module = code / "data" / "formats" / "rows.py"
    changed = module.read_text().replace('[user(read_filled_text(row.get("question"), "prompt"))]', '[user("else")]')
    assert changed != module.read_text()
    module.write_text(changed)
    assert "q0" in before
    assert "else" in run().stdout


def test_the_code_is_known_by_its_text(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    before = row_code(tmp_path)
    (tmp_path / "a.py").write_text("x = 2\n")
    row_code.cache_clear()
    assert row_code(tmp_path) != before


@pytest.mark.parametrize("harm", ["cut", "facts", "no facts", "no numbers", "header"])
def test_a_damaged_entry_is_made_anew(file, passes, rows_cache, harm):
    before = rows_of(file).rows.to_list()
    (entry,) = rows_cache.iterdir()
    rows = entry / "rows.arrow"
    if harm == "cut":
        rows.write_bytes(rows.read_bytes()[:100])
    elif harm == "facts":
        (entry / "facts.json").write_text("{")
    elif harm == "no facts":
        (entry / "facts.json").unlink()
    elif harm == "no numbers":
        (entry / "codes.bin").write_bytes(b"")
    else:
        rows.write_bytes(b"x" * rows.stat().st_size)
    assert rows_of(file).rows.to_list() == before
    assert len(passes) == 2


def test_a_pass_that_breaks_off_leaves_nothing(tmp_path, rows_cache):
    path = tmp_path / "broken.jsonl"
    path.write_text('{"question": "q", "answer": "a"}\n' * 3000 + "{\n")
    with pytest.raises(DataError, match=r"broken\.jsonl:3001"):
        rows_of(path)
    assert entries_in(rows_cache) == []


def test_rows_are_in_memory_where_nothing_can_be_written(file, monkeypatch, tmp_path):
    (tmp_path / "taken").write_text("a file where the cache should be")
    monkeypatch.setenv("ALIGNTUNE_CACHE", str(tmp_path / "taken"))
    seen = []
    job = Job(algorithm="sft", model_name="builtin:tiny", dataset_name=str(file))
    train, _ = prepare_job(job, DEMONSTRATIONS, seen.append)
    assert len(train.rows) == 10
    assert train.rows.cache_files == []
    (notice,) = [event for event in seen if isinstance(event, Notice)]
    assert notice.code == "cache-unusable"
    assert "kept in memory" in notice.message


def test_a_disk_that_fills_up_on_the_way(file, monkeypatch, rows_cache):
    from aligntune_core.data.storage import writer

    write = writer.RowWriter.write

    def full(self, rows, shape):
        if self._folder is not None:
            raise OSError(28, "No space left on device")
        write(self, rows, shape)

    monkeypatch.setattr(writer.RowWriter, "write", full)
    assert len(rows_of(file).rows) == 10
    assert entries_in(rows_cache) == []


def test_data_that_is_in_memory_stays_there(rows_cache):
    rows = prepare([{"question": "q", "answer": "a"}], DEMONSTRATIONS, algorithm="sft").rows
    assert rows.cache_files == rows.map(lambda row: {"n": len(row["prompt"])}).cache_files == []
    assert entries_in(rows_cache) == []


@pytest.mark.parametrize(("size", "left"), [("0", 0), ("1", 1), ("1GB", 3)])
def test_the_size_of_the_cache(tmp_path, monkeypatch, rows_cache, size, left):
    monkeypatch.setenv("ALIGNTUNE_CACHE_SIZE", size)
    for number in range(3):
        path = tmp_path / f"{number}.jsonl"
        path.write_text('{"question": "q", "answer": "a"}\n')
        rows_of(path)
        let_go()
    # the one that was just made is in use when the rest goes
    assert len(entries_in(rows_cache)) == left


def test_a_size_that_is_none(file, monkeypatch):
    monkeypatch.setenv("ALIGNTUNE_CACHE_SIZE", "much")
    with pytest.raises(DataError, match="ALIGNTUNE_CACHE_SIZE is 'much', which is no size"):
        rows_of(file)


@pytest.mark.parametrize("is_there", [False, True], ids=["made", "found"])
def test_what_a_living_process_holds_stays(tmp_path, file, monkeypatch, rows_cache, is_there):
    if is_there:
        rows_of(file)
        let_go()
    script = (
        "import sys\nfrom aligntune_core.data.prepare import prepare\n"
        "from aligntune_core.algorithms import DatasetKind as K\n"
        f"rows = prepare({str(file)!r}, K.DEMONSTRATIONS, algorithm='sft').rows\n"
        "print('held', flush=True)\nsys.stdin.readline()\nprint(len(rows.to_list()))"
    )
    other = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "held\n"
    (held,) = entries_in(rows_cache)
    monkeypatch.setenv("ALIGNTUNE_CACHE_SIZE", "1")
    path = tmp_path / "more.jsonl"
    path.write_text('{"question": "q", "answer": "a"}\n')
    rows_of(path)
    assert held in entries_in(rows_cache)
    assert other.communicate("\n")[0] == "10\n"
    entries.trim(rows_cache, 1)
    assert held not in entries_in(rows_cache)


def test_two_runs_that_make_the_same_rows_at_once(file, rows_cache):
    script = (
        "from aligntune_core.data.prepare import prepare\nfrom aligntune_core.algorithms import DatasetKind as K\n"
        f"print(len(prepare({str(file)!r}, K.DEMONSTRATIONS, algorithm='sft').rows.to_list()))"
    )
    both = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [each.communicate()[0] for each in both] == ["10\n", "10\n"]
    assert len(entries_in(rows_cache)) == 1


def test_an_entry_that_may_only_be_read_leaves_the_engine_in_memory(file, passes, monkeypatch):
    rows_of(file)
    monkeypatch.setattr(os, "access", lambda *_: False)
    rows = rows_of(file).rows
    assert len(passes) == 1
    assert rows.map(lambda row: {"n": len(row["prompt"])}).cache_files == []


def test_the_engine_names_its_files_by_what_it_is(file, monkeypatch):
    from aligntune_core.data.storage import keep

    before = rows_of(file).rows._fingerprint
    monkeypatch.setattr(keep, "versions", lambda *packages: [f"another {package}" for package in packages])
    assert rows_of(file).rows._fingerprint != before


def test_the_limits_of_a_job_hold_and_are_part_of_what_rows_are_known_by(file):
    keys = {"algorithm": "sft", "model_name": "builtin:tiny", "dataset_name": str(file)}
    prepare_job(Job(**keys), DEMONSTRATIONS, print)
    with pytest.raises(DataError, match=r"rows\.jsonl"):
        prepare_job(Job(**keys, data_limits={"file": 10}), DEMONSTRATIONS, print)
