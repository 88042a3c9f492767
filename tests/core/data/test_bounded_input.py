"""Data that is too much, or that never ends, is refused soon, by name, and in little memory."""

from __future__ import annotations

import gzip
import json
import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aligntune_core.data.files.content import BLOCK
from aligntune_core.data.files.glance import first_broken_line, inspect
from aligntune_core.data.files.limits import DEFAULT_LIMITS, Limits, limits_of
from aligntune_core.data.files.paths import locate
from aligntune_core.data.files.stream import read_rows
from aligntune_core.errors import DataError, JobFileError, RewardError
from aligntune_core.job_values import DATA_LIMITS
from aligntune_core.jobs.file import load_job_file
from aligntune_core.jobs.read import read_job
from aligntune_core.rewards.outline import existing

MIB = 2**20
JOB = {"algorithm": "sft", "model_name": "builtin:tiny", "dataset_name": "rows.jsonl"}
ROW = '{"prompt": "What is two and two?", "completion": "It is four."}\n'


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


PEAK = "[int(line.split()[1]) // 1024 for line in open('/proc/self/status') if line.startswith('VmHWM')][0]"
"""The most memory a process had, in MiB; what getrusage tells would be that of the process which started it."""


def checked(*words):
    """The exit code of the fast check, what it wrote, its CPU seconds and its peak memory in MiB."""
    code = (
        "import sys\n"
        "from aligntune_core.cli.main import main\n"
        "sys.argv = ['aligntune', 'check', '--fast', *sys.argv[1:]]\n"
        "try: code = main() or 0\n"
        "except SystemExit as ended: code = ended.code or 0\n"
        f"print('peak', {PEAK})\n"
        "sys.exit(code)\n"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, timeout=60, env=os.environ
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = int(done.stdout.rpartition("peak ")[2])
    return done.returncode, " ".join((done.stdout + done.stderr).split()), seconds, peak


def words(**changed):
    return [f"{key}={value}" for key, value in {**JOB, **changed}.items()]


def rows_of(name, **limits):
    return list(read_rows(Path(name), Limits(**limits)))


def fault_of(name, **limits):
    with pytest.raises(DataError) as refused:
        for _ in read_rows(Path(name), Limits(**limits)):
            pass
    return str(refused.value)


def bomb(name, begin=b""):
    """A packed file of about 2 MB that unpacks to 500 MB."""
    rows = json.dumps({"prompt": "What is two and two? " * 500, "completion": "It is four."}).encode() + b"\n"
    packed = gzip.compress(rows * (10 * MIB // len(rows)), compresslevel=1)
    Path(name).write_bytes(gzip.compress(begin) + packed * 50)
    return Path(name).stat().st_size


@pytest.mark.parametrize("ahead", [0, 4 * MIB], ids=["at once", "after honest rows"])
def test_a_small_file_that_unpacks_to_much_is_refused_after_little_of_it(ahead):
    # of what can't be packed well there is some before it, so that the head of the file looks honest
    honest = "".join(json.dumps({"prompt": os.urandom(300).hex()}) + "\n" for _ in range(ahead // 600)).encode()
    assert bomb("rows.jsonl.gz", honest) < 9 * MIB
    begin = time.process_time()
    message = fault_of("rows.jsonl.gz", expansion=40)
    assert time.process_time() - begin < 8
    assert "'rows.jsonl.gz' unpacks to more than 40 times its size" in message
    assert "data_limits.expansion" in message


def test_the_fast_check_refuses_a_file_that_unpacks_to_much():
    bomb("rows.jsonl.gz")
    code, said, seconds, peak = checked(*words(dataset_name="rows.jsonl.gz"))
    assert code == 2
    assert "'rows.jsonl.gz' unpacks to more than 100 times its size" in said
    assert seconds < 5
    assert peak < 200
    code, said, *_ = checked(*words(dataset_name="rows.jsonl.gz"), "data_limits.expansion=5000")
    assert "unpacks" not in said
    assert code == 0


def test_a_packed_file_that_is_only_long_is_no_bomb():
    with gzip.open("rows.jsonl.gz", "wt") as file:
        file.writelines(json.dumps({"prompt": f"{number} word " * 40}) + "\n" for number in range(3 * BLOCK // 100))
    assert inspect("./rows.jsonl.gz").rows is not None or inspect("rows.jsonl.gz").columns == ("prompt",)
    assert first_broken_line("rows.jsonl.gz") is None


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.csv"])
def test_one_endless_row_is_refused_by_its_line_unless_the_job_raises_the_limit(name):
    long = "word " * (10 * MIB)
    content = {
        "rows.jsonl": ROW + json.dumps({"prompt": long, "completion": "x"}),
        "rows.json": "[" + ROW + "," + json.dumps({"prompt": long, "completion": "x"}) + "]",
        "rows.csv": "prompt,completion\n" + f'"{long}",x\n',
    }
    Path(name).write_text(content[name])
    begin = time.process_time()
    message = fault_of(name)
    assert time.process_time() - begin < 3
    assert message.startswith(f"{name}:2: the row that begins here is longer than 16 MiB")
    assert "data_limits.row" in message
    assert len(rows_of(name, row=64 * MIB)[-1]["prompt"]) == len(long)


def test_the_fast_check_refuses_one_row_of_50_mb_and_takes_it_with_a_raised_limit():
    Path("rows.jsonl").write_text(json.dumps({"prompt": "word " * (10 * MIB), "completion": "x"}) + "\n")
    code, said, seconds, peak = checked(*words())
    assert code == 2
    assert "rows.jsonl:1: the row that begins here is longer than 16 MiB" in said
    assert seconds < 5
    assert peak < 200
    code, said, seconds, peak = checked(*words(), "data_limits.row=64MiB")
    assert (code, "longer than" in said) == (0, False)
    assert peak < 600


@pytest.mark.parametrize("limit", [100, 3000, 200_000])
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.txt", "rows.csv"])
def test_a_row_may_have_its_limit_and_not_more(name, limit):
    fitting = json.dumps({"a": "é" * ((limit - 9) // 2)}, ensure_ascii=False)
    longer = json.dumps({"a": "é" * limit}, ensure_ascii=False)

    def written(rows):
        if name == "rows.csv":
            return "\n".join(["a", *[json.loads(row)["a"] for row in rows]])
        return f"[{', '.join(rows)}]" if name == "rows.json" else "\n".join(rows)

    Path(name).write_text(written([fitting] * 5), encoding="utf-8")
    assert len(rows_of(name, row=limit)) == 5
    Path(name).write_text(written([fitting] * 3 + [longer] + [fitting] * 3), encoding="utf-8")
    got = []
    with pytest.raises(DataError, match="longer than"):
        got.extend(read_rows(Path(name), Limits(row=limit)))
    assert len(got) == 3


def test_a_table_row_of_endlessly_many_lines_is_refused():
    Path("rows.csv").write_text("a,b\n1,2\n" + '"x\ny",' * 200_000)
    assert fault_of("rows.csv", row=MIB // 2).startswith("rows.csv:3: the row that begins here is longer than")


def test_the_last_of_300_000_lines_is_told_by_its_number_in_little_memory():
    Path("rows.jsonl").write_text(ROW * 299_999 + '{"prompt": "broken\n')
    code = (
        "import resource\n"
        "from aligntune_core.data.files.glance import first_broken_line\n"
        "print(first_broken_line('rows.jsonl'))\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        f"print(used.ru_utime + used.ru_stime, {PEAK})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    said, used = done.stdout.splitlines()
    seconds, peak = map(float, used.split())
    assert said.startswith("rows.jsonl:300000: this is not JSON")
    assert seconds < 10
    assert peak < 150


def test_a_long_list_is_read_in_little_memory():
    Path("rows.json").write_text("[" + ",\n".join([ROW.strip()] * 300_000) + "\n]")
    code = (
        "from pathlib import Path\n"
        "from aligntune_core.data.files.stream import read_rows\n"
        f"print(sum(1 for _ in read_rows(Path('rows.json'))), {PEAK})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    rows, peak = map(int, done.stdout.split())
    assert rows == 300_000
    assert peak < 100


def test_a_file_beyond_its_limit_is_refused_unread():
    Path("rows.jsonl").write_text(ROW * 100)
    message = fault_of("rows.jsonl", file=1024)
    assert message.startswith("'rows.jsonl' is 6.25 KiB, more than the 1 KiB that a data file may be.")
    assert "data_limits.file" in message
    Path("rows.parquet").write_bytes(b"PAR1" + bytes(2000) + b"PAR1")
    with pytest.raises(DataError, match="more than the 1 KiB"):
        inspect("rows.parquet", limits=Limits(file=1024))


def special(kind, name):
    if kind == "a FIFO":
        os.mkfifo(name)
    elif kind == "a socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(name)
    else:
        Path(name).symlink_to("/dev/zero")


KINDS = ["a FIFO", "a socket", "a device"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_never_ends_is_refused_by_its_kind_wherever_a_path_is_named(here, kind):
    special(kind, "rows.jsonl")
    (here / "folder/deep").mkdir(parents=True)
    Path("folder/train.jsonl").write_text(ROW)
    Path("folder/deep/linked.jsonl").symlink_to(here / "rows.jsonl")
    for read in (locate, inspect, lambda name: list(read_rows(Path(name)))):
        with pytest.raises(DataError, match=rf"'rows.jsonl' is {kind}, which may never end"):
            read("rows.jsonl")
    with pytest.raises(DataError, match=rf"deep/linked.jsonl' is {kind}"):
        locate("folder")
    with pytest.raises(JobFileError, match=rf"the job file 'rows.jsonl' is {kind}, not a file"):
        load_job_file("rows.jsonl")
    with pytest.raises(RewardError, match=rf"'rows.jsonl' with reward functions is {kind}"):
        existing("rows.jsonl")


@pytest.mark.parametrize("kind", ["a FIFO", "a device"])
def test_the_fast_check_does_not_wait_for_what_never_ends(here, kind):
    special(kind, "rows.jsonl")
    (here / "folder").mkdir()
    Path("folder/rows.jsonl").symlink_to(here / "rows.jsonl")
    Path("good.jsonl").write_text(ROW)
    for named in (
        words(),
        words(dataset_name="folder"),
        words(dataset_name="good.jsonl", eval_dataset_name="rows.jsonl"),
        ["./rows.jsonl"],
    ):
        code, said, seconds, peak = checked(*named)
        assert code == 2
        assert f"is {kind}" in said
        assert seconds < 5
        assert peak < 200


def test_a_description_that_never_ends_is_not_read(here):
    (here / "saved").mkdir()
    Path("saved/state.json").touch()
    os.mkfifo("saved/dataset_info.json")
    with pytest.raises(DataError, match="it is a FIFO"):
        inspect("saved")


def test_a_system_file_that_claims_no_length_is_not_read():
    Path("rows.jsonl").symlink_to("/proc/self/mem")
    with pytest.raises(DataError, match=r"is empty|can't be read"):
        inspect("./rows.jsonl")


def test_a_folder_with_too_much_in_it_is_not_searched(here, monkeypatch):
    for number in range(12):
        (here / f"{number}.bin").touch()
    Path("rows.jsonl").write_text(ROW)
    assert len(locate(str(here)).files) == 1
    monkeypatch.setattr("aligntune_core.data.files.paths._MOST_ENTRIES", 10)
    with pytest.raises(DataError, match="holds more than 10 files and folders"):
        locate(str(here))


def test_the_whole_disk_is_no_dataset():
    begin = time.process_time()
    with pytest.raises(DataError, match=r"the folder '/' holds|is a|can't be looked into"):
        locate("/")
    assert time.process_time() - begin < 5


def test_a_job_file_or_a_file_of_rewards_that_is_far_too_long_is_refused_unread():
    for name in ("job.yaml", "rewards.py"):
        with Path(name).open("wb") as file:
            file.truncate(5 * 2**30)
    with pytest.raises(JobFileError, match="it is larger than 4 MiB"):
        load_job_file("job.yaml")
    code, said, seconds, peak = checked(
        *words(algorithm="grpo", dataset_name="builtin:arithmetic", reward_functions="rewards.py:score")
    )
    assert code == 2
    assert "larger than 4 MiB" in said
    assert seconds < 5
    assert peak < 200


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"row": "64MiB"}, Limits(row=64 * MIB)),
        ({"row": "1.5 MB", "file": "100gib"}, Limits(row=1_500_000, file=100 * 2**30)),
        ({"row": 5, "expansion": 500}, Limits(row=5, expansion=500)),
        ({"expansion": "1e3"}, Limits(expansion=1000)),
        ({"row": None}, DEFAULT_LIMITS),
        (None, DEFAULT_LIMITS),
    ],
)
def test_limits_of_a_job(given, read):
    job, problems = read_job({**JOB, "data_limits": given})
    assert not problems
    assert limits_of(job.data_limits) == read


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"rows": 5}, "there is no limit 'rows' (did you mean 'row'?)"),
        ({"colour": 5}, "there is no limit 'colour' (there are row, file, expansion)"),
        ({1: 5}, "there is no limit 1"),
        ({"row": "many"}, "'row' has to be a number of bytes or a size like 64MiB, not 'many'"),
        ({"row": "64 parsecs"}, "'row' has to be"),
        ({"row": True}, "a number is expected"),
        ({"row": [1]}, "'row' has to be"),
        ({"row": 1.5}, "'row' has to be"),
        ({"row": float("inf")}, "'row' has to be"),
        ({"file": 0}, "'file' has to be at least 1"),
        ({"file": "9999999TiB"}, "at most"),
        ({"expansion": -1}, "'expansion' has to be at least 1"),
        ("64MiB", "a mapping such as {row: 64MiB} is expected"),
        ([], "a mapping such as {row: 64MiB} is expected"),
    ],
)
def test_limits_that_make_no_sense(given, told):
    _, problems = read_job({**JOB, "data_limits": given})
    assert [problem.key for problem in problems] == ["data_limits"]
    assert told in problems[0].message


def test_every_limit_can_be_set_by_a_job():
    assert set(DATA_LIMITS) == set(Limits.__dataclass_fields__)
