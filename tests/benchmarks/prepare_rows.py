"""Preparing rows: AlignTune's pass beside a pass by hand and `datasets` alone, each in a process of its own, in turns.

    python tests/benchmarks/prepare_rows.py --rows 200000 --rounds 3

The data is made from a seed: instruction, input, output; one row in a hundred has a date, an integer beyond 2^53 or a
dict as well. Written to a temporary folder, as is the cache.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

SIDES = ("ours, first time", "ours, second time", "by hand", "load_dataset and map")


def make_data(path: Path, rows: int, seed: int = 7) -> None:
    """About 850 bytes a row."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(2000)]
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            row = {
                "instruction": " ".join(chance.choices(words, k=20)),
                "input": " ".join(chance.choices(words, k=10)) if number % 3 == 0 else "",
                "output": " ".join(chance.choices(words, k=95)),
                "made": f"2024-05-{number % 28 + 1:02}",
                "number": 2**53 + number if number % 100 == 1 else number,
                "about": {f"key{number % 7}": number} if number % 100 == 2 else {"key": 1},
            }
            file.write(json.dumps(row) + "\n")


def ours(path: Path) -> int:
    from aligntune_core.algorithms import DatasetKind
    from aligntune_core.data.prepare import prepare

    return len(prepare(str(path), DatasetKind.DEMONSTRATIONS, algorithm="sft").rows)


def converted(instruction: str, more: str, output: str) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    question = "\n\n".join(part for part in (instruction, more) if part.strip())
    return [{"role": "user", "content": question}], [{"role": "assistant", "content": output}]


def by_hand(path: Path) -> int:
    from datasets import Dataset
    from datasets.arrow_writer import ArrowWriter

    out = str(path.with_suffix(".hand.arrow"))
    with path.open(encoding="utf-8") as lines, ArrowWriter(path=out) as writer:
        for line in lines:
            row = json.loads(line)
            prompt, completion = converted(row["instruction"], row["input"], row["output"])
            writer.write({"prompt": prompt, "completion": completion})
        writer.finalize()
    return len(Dataset.from_file(out))


def load_and_map(path: Path) -> int:
    from datasets import load_dataset

    def convert(columns):
        both = [
            converted(*each) for each in zip(columns["instruction"], columns["input"], columns["output"], strict=True)
        ]
        return {"prompt": [prompt for prompt, _ in both], "completion": [completion for _, completion in both]}

    cache = tempfile.mkdtemp(dir=path.parent)
    rows = load_dataset("json", data_files=str(path), split="train", cache_dir=cache)
    return len(rows.map(convert, batched=True, remove_columns=rows.column_names))


RUN = {SIDES[0]: ours, SIDES[1]: ours, SIDES[2]: by_hand, SIDES[3]: load_and_map}


def measure(side: str, path: Path) -> None:
    """Run one side and print what it took; importing `datasets` is not part of it."""
    import datasets

    datasets.disable_progress_bars()
    before, wall, cpu = _peak(), time.perf_counter(), time.process_time()
    rows = RUN[side](path)
    told = {"rows": rows, "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    print(json.dumps({**told, "before": before, "peak": _peak()}))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_process(side: str, path: Path, cache: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--side", side, "--data", str(path)]
    environment = {**os.environ, "ALIGNTUNE_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}
    return json.loads(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


def rounds_of(rows: int, rounds: int, sides: tuple[str, ...]) -> dict[str, dict[str, float]]:
    taken: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.jsonl")
        make_data(path, rows)
        print(f"{rows} rows, {path.stat().st_size / 1e6:.0f} MB")
        for number in range(rounds):
            for side in sides:
                taken[side].append(in_process(side, path, Path(folder, f"cache-{number}")))
    return {side: {key: median(each[key] for each in all_of) for key in all_of[0]} for side, all_of in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--growth", action="store_true", help="peak memory at 30,000 and 300,000 rows")
    parser.add_argument("--side")
    parser.add_argument("--data", type=Path)
    asked = parser.parse_args()
    if asked.side:
        measure(asked.side, asked.data)
        return
    if asked.growth:
        small, large = (rounds_of(rows, 1, SIDES[:1])[SIDES[0]]["peak"] for rows in (30_000, 300_000))
        print(f"peak memory: {small:.0f} MB, {large:.0f} MB, {large / small:.2f} times")
        return
    table = rounds_of(asked.rows, asked.rounds, SIDES)
    print("| side | wall s | CPU s | peak memory MB | of that, libraries |\n|---|---|---|---|---|")
    for side, took in table.items():
        print(f"| {side} | {took['wall']:.2f} | {took['cpu']:.2f} | {took['peak']:.0f} | {took['before']:.0f} |")


if __name__ == "__main__":
    main()
