"""Runs the cells that have no result yet, and keeps each result in a file of its own.

``python tests/gpu/cells/run.py [--only 'unsloth-*'] [--jobs 6] [--again]``. A result names the card, its driver and
the packages; one that is there is not made anew, unless something in it did not hold.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from table import CELLS

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"
PACKAGES = (
    "torch",
    "transformers",
    "trl",
    "peft",
    "accelerate",
    "datasets",
    "bitsandbytes",
    "triton",
    "unsloth",
    "unsloth_zoo",
)
TAIL = 6000
"""How much of a failed stage's words is kept."""


def _holds(file) -> bool:
    """Whether a cell has a result, and one in which all held."""
    return file.is_file() and json.loads(file.read_text(encoding="utf-8"))["ok"]


def machine() -> dict[str, object]:
    """The card, its driver, and the packages."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    card, driver, memory = (part.strip() for part in told[0].split(","))
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return {"card": card, "memory": memory, "driver": driver, "python": sys.version.split()[0], "packages": packages}


def run_stage(program, arguments, model, work, seconds):
    """One process: what it found, how it ended, and its last words where it failed."""
    begun = time.monotonic()
    command = [sys.executable, str(HERE / program), model, str(work), *arguments]
    with (work / "stdout").open("w+b") as out, (work / "stderr").open("w+b") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, cwd=work, start_new_session=True)
        try:
            code = process.wait(max(seconds, 1))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        out.seek(0)
        err.seek(0)
        said, words = (_placeless(each.read().decode(errors="replace"), model, work) for each in (out, err))
    found: dict[str, object] = {"program": program, "arguments": list(arguments), "code": code}
    found["seconds"] = round(time.monotonic() - begun, 1)
    lines = said.strip().splitlines()
    try:
        found["found"] = json.loads(lines[-1])
    except (IndexError, ValueError):
        found["found"] = {}
    found["clean_output"] = len(lines) == 1
    if code:
        found["words"] = words[-TAIL:]
        found["said"] = said[-1000:]
    for name in ("stdout", "stderr"):
        (work / name).unlink()
    return found


def _placeless(text, model, work):
    """A text without the temporary folders of one run."""
    return text.replace(model, "MODEL").replace(str(work), "WORK")


def run_cell(cell, model, results, where):
    """All stages of a cell; a later one runs only where the ones before did not fail to say anything."""
    begun, stages = time.monotonic(), []
    with tempfile.TemporaryDirectory() as temporary:
        for program, *arguments in cell.stages:
            left = cell.limit - (time.monotonic() - begun)
            stages.append(run_stage(program, arguments, model, Path(temporary), left))
            if not stages[-1]["found"]:
                break
    good = len(stages) == len(cell.stages) and all(stage["code"] == 0 for stage in stages)
    result = {"cell": cell.name, "shows": cell.shows, "ok": good, "seconds": round(time.monotonic() - begun, 1)}
    text = json.dumps({**result, **where, "stages": stages}, indent=1, sort_keys=False)
    (results / f"{cell.name}.json").write_text(text + "\n", encoding="utf-8")
    print(f"{'ok  ' if good else 'FAIL'} {cell.name} {result['seconds']:.0f} s", flush=True)
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=["*"], help="names of cells, with * for anything")
    parser.add_argument("--jobs", type=int, default=1, help="cells at a time; those that are timed run alone")
    parser.add_argument("--again", action="store_true", help="also those that have a result")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    wanted = [cell for cell in CELLS if any(fnmatch.fnmatch(cell.name, each) for each in options.only)]
    wanted = [cell for cell in wanted if options.again or not _holds(options.results / f"{cell.name}.json")]
    if find_spec("unsloth") is None:
        for cell in wanted:
            if not cell.name.startswith("trl-"):
                print(f"skip {cell.name}: unsloth is not installed", flush=True)
        wanted = [cell for cell in wanted if cell.name.startswith("trl-")]
    where = machine()
    with tempfile.TemporaryDirectory() as temporary:
        models = {kind: str(Path(temporary, kind)) for kind in dict.fromkeys(cell.model for cell in wanted)}
        for kind, folder in models.items():
            subprocess.run([sys.executable, str(HERE / "random_model.py"), folder, kind], check=True)
        with ThreadPoolExecutor(options.jobs) as pool:
            together = [cell for cell in wanted if not cell.alone]
            good = list(pool.map(lambda cell: run_cell(cell, models[cell.model], options.results, where), together))
        good += [run_cell(cell, models[cell.model], options.results, where) for cell in wanted if cell.alone]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
