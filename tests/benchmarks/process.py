"""What a process of its own costs: ``aligntune train`` against the same with ``--isolation process``, in turns.

Run it with ``python tests/benchmarks/process.py [--rounds 5] [--steps 120] [--logging 10]``. Each run is a new program
that trains ``builtin:tiny`` with SFT. Printed are the seconds from the program's start until its first log is told, the
processor time that it and its process took until then, and the seconds from step to step: in one process, with one of
its own, and the difference, each as the median and as the best of all rounds. The bounds, 0.3 s until the first log and
1 % from step to step, are for the median of what a round's two runs differ by. Other programs on the machine blur them:
``chrt -r 1`` before the command keeps those off.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

MAIN = "from aligntune_core.cli.main import main; main()"
TICKS = os.sysconf("SC_CLK_TCK")
FIRST_BOUND, STEP_BOUND = 0.3, 0.01


FIELDS = {
    "first": "seconds until the first log",
    "processor": "processor seconds until then",
    "step": "seconds from step to step",
}


@dataclass(frozen=True)
class Run:
    """One run: seconds until the first log, processor seconds until then, and the median of a step in seconds."""

    first: float
    processor: float
    step: float


def processor_seconds(pid: int) -> float:
    """What a process and those that it started have used of the processors."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        threads = [each.read_text(encoding="utf-8") for each in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return 0.0
    children = {int(child) for each in threads for child in each.split()}
    return sum(map(int, told[11:15])) / TICKS + sum(map(processor_seconds, children))


def train(words: list[str], steps: int, logging: int) -> Run:
    """Train once, in a folder and with a cache of its own."""
    with tempfile.TemporaryDirectory() as folder:
        job = [
            "algorithm=sft", "backend=trl", "model_name=builtin:tiny", "dataset_name=builtin:instructions",
            f"output_dir={folder}/out", f"max_steps={steps}", "batch_size=8", "save_steps=100000",
            f"logging_steps={logging}",
        ]  # fmt: skip
        environment = {**os.environ, "ALIGNTUNE_CACHE": f"{folder}/cache", "COLUMNS": "200"}
        begun = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", MAIN, "train", *job, *words], stderr=subprocess.PIPE, text=True, env=environment
        )
        marks, processor = [], 0.0
        for line in process.stderr or ():
            if re.match(r"step \d+/", line):
                marks.append(time.perf_counter())
                processor = processor or processor_seconds(process.pid)
        if process.wait():
            raise RuntimeError(f"{words} failed")
    step = statistics.median(b - a for a, b in itertools.pairwise(marks)) / logging
    return Run(marks[0] - begun, processor, step)


def main() -> None:
    """Measure and print."""
    given = argparse.ArgumentParser()
    given.add_argument("--rounds", type=int, default=5)
    given.add_argument("--steps", type=int, default=120)
    given.add_argument("--logging", type=int, default=10)
    asked = given.parse_args()
    ways: dict[str, list[str]] = {"in one process": [], "with its own": ["--isolation", "process"]}
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    for number in range(asked.rounds + 1):
        # the other one first in every other round; the first round warms up what the machine keeps of files
        for name, words in sorted(ways.items(), reverse=bool(number % 2)):
            done = train(words, asked.steps, asked.logging)
            if number:
                runs[name].append(done)
    here, there = runs.values()
    print(f"{'':38}{'median':>34}{'best':>34}")
    for field, what in FIELDS.items():
        cells = []
        for pick in (statistics.median, min):
            alone, apart = (pick(getattr(each, field) for each in some) for some in (here, there))
            cells.append(f"{alone:.4f} {apart:.4f} ({apart - alone:+.4f})")
        print(f"{what:38}{cells[0]:>34}{cells[1]:>34}")
    # each round's two runs stand next to each other
    first = statistics.median(b.first - a.first for a, b in zip(here, there, strict=True))
    step = statistics.median(b.step / a.step for a, b in zip(here, there, strict=True)) - 1
    print(f"until the first log {first:+.3f} s (bound {FIRST_BOUND}), a step {step:+.2%} (bound {STEP_BOUND:.0%})")


if __name__ == "__main__":
    main()
