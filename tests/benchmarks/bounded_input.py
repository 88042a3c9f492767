"""How soon, and in how much memory, data is refused that is too much, broken at its end, or without an end.

Run it with ``python tests/benchmarks/bounded_input.py [--share 1.0]``. It makes, in a folder of its own, a packed file
of 20 MB that unpacks to 5 GB, the same after some honest rows, one row of 50 MB, 300,000 lines of which the last is
broken, a FIFO, a link to a device that never ends and a folder that holds one, and runs ``aligntune check --fast`` and
``aligntune check`` on each; for each it prints the exit code, the seconds, the peak memory and what was said. Each
should be over in 10 seconds and 1 GB.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MIB = 2**20
MOST_SECONDS, MOST_MIB = 10, 1000
CALL = """
import sys
from aligntune_core.cli.main import main
try:
    code = main() or 0
except SystemExit as ended:
    code = ended.code or 0
for line in open("/proc/self/status"):
    if line.startswith("VmHWM"):
        print("PEAK", int(line.split()[1]) // 1024, flush=True)
sys.exit(code)
"""
WAYS = {"check --fast": ["check", "--fast"], "check": ["check"]}


def packed(folder: Path, share: float) -> Path:
    """A packed file of 20 MB whose rows are 5 GB."""
    # some of each row can't be packed, so that it packs about 250 to 1
    rows = b"".join(
        json.dumps({"prompt": os.urandom(12).hex(), "completion": "It is four. " * 800}).encode() + b"\n"
        for _ in range(1000)
    )
    member = gzip.compress(rows)
    path = folder / "packed.jsonl.gz"
    with path.open("wb") as file:
        for _ in range(round(5000 * MIB * share / len(rows))):
            file.write(member)
    return path


def packed_later(folder: Path, _: float) -> Path:
    """The same after 4 MB that hardly pack, so that how the file begins tells nothing."""
    path = folder / "later.jsonl.gz"
    honest = "".join(json.dumps({"prompt": os.urandom(300).hex(), "completion": "x"}) + "\n" for _ in range(7000))
    path.write_bytes(gzip.compress(honest.encode()) + (folder / "packed.jsonl.gz").read_bytes())
    return path


def one_row(folder: Path, share: float) -> Path:
    """A file with one row of 50 MB."""
    path = folder / "row.jsonl"
    path.write_text(json.dumps({"prompt": "word " * int(10 * MIB * share), "completion": "x"}) + "\n")
    return path


def broken_at_its_end(folder: Path, share: float) -> Path:
    """A file of 300,000 lines, about 170 MB, of which the last is cut off."""
    path = folder / "lines.jsonl"
    count = int(300_000 * share)
    with path.open("w") as file:
        for number in range(1, count):
            file.write(json.dumps({"prompt": f"Question {number}? " * 15, "completion": "Answer. " * 35}) + "\n")
        file.write('{"prompt": "Ques')
    return path


def fifo(folder: Path, _: float) -> Path:
    """A FIFO that nobody writes to."""
    os.mkfifo(folder / "fifo.jsonl")
    return folder / "fifo.jsonl"


def endless(folder: Path, _: float) -> Path:
    """A link to a device that never ends."""
    (folder / "endless.jsonl").symlink_to("/dev/zero")
    return folder / "endless.jsonl"


def endless_in_a_folder(folder: Path, _: float) -> Path:
    """A folder with such a link in it."""
    (folder / "rows").mkdir()
    (folder / "rows/train.jsonl").symlink_to("/dev/urandom")
    return folder / "rows"


def root(_: Path, __: float) -> Path:
    """Everything on this machine."""
    return Path("/")


MAKERS = (packed, packed_later, one_row, broken_at_its_end, fifo, endless, endless_in_a_folder, root)


def measure(words: list[str], data: Path, folder: Path) -> Mapping[str, object]:
    """One call, as a row of the table."""
    job = ["algorithm=sft", "model_name=builtin:tiny", f"dataset_name={data}", f"output_dir={folder / 'out'}"]
    begin = time.perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, "-c", CALL, *words, *job], capture_output=True, text=True, check=False, timeout=120
        )
    except subprocess.TimeoutExpired:
        return {"code": "-", "seconds": 120.0, "peak": 0, "said": "still running after 120 seconds"}
    seconds = time.perf_counter() - begin
    said, _, peak = done.stdout.partition("PEAK")
    told = [line for line in (said + done.stderr).splitlines() if data.name in line and "dataset_name=" not in line]
    return {
        "code": done.returncode,
        "seconds": seconds,
        "peak": int(peak or 0),
        "said": " ".join((told or ["nothing of it"])[0].split()),
    }


def main() -> int:
    """Measure every case and print a table; 1 if one of them took too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="how large the files are, as a share")
    share = parser.parse_args().share
    missed = 0
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for maker in MAKERS:
            data = maker(folder, share)
            for way, words in WAYS.items():
                row = measure(words, data, folder)
                is_missed = row["seconds"] > MOST_SECONDS or row["peak"] > MOST_MIB  # type: ignore[operator]
                missed += is_missed
                print(
                    f"{maker.__name__:20} {way:13} code {row['code']} {row['seconds']:6.1f} s {row['peak']:5} MiB"
                    f"{'  MISSED' if is_missed else ''}  {str(row['said']).replace(str(folder), '')[:110]}",
                    flush=True,
                )
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
