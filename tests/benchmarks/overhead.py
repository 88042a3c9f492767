"""What AlignTune costs on top of TRL, and what its short commands cost on top of the interpreter.

Run it with ``python tests/benchmarks/overhead.py [--rounds 5] [--steps 40] [--algorithm sft] [--rows 0]``. It trains
``builtin:tiny`` through AlignTune and through a script written by hand on TRL, in turn, each in a process of its own,
and prints ratios of medians: from the process's start to the end of the first step, the processor time of that, which
other programs on the machine disturb less, and from step to step. Then ``aligntune capabilities`` and
``aligntune check`` against a bare interpreter, with the memory they take.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BY_HAND = """
import json, sys, time
from datasets import Dataset
from transformers import AutoTokenizer, TrainerCallback
if {lora}:
    from peft import LoraConfig
from trl import {name}Config, {name}Trainer

rows = [json.loads(line) for line in open({data!r})]
if {name!r} == "SFT":
    rows = [
        dict(
            prompt=[dict(role="user", content="\\n\\n".join(filter(None, [row["instruction"], row["input"]])))],
            completion=[dict(role="assistant", content=row["output"])],
        )
        for row in rows if row["output"]
    ]
class Marks(TrainerCallback):
    def on_step_end(self, args, state, control, **kwargs):
        marks.append((time.time(), time.process_time()))
marks = []
config = {name}Config(
    output_dir={folder!r}, max_steps={steps}, per_device_train_batch_size=8, learning_rate=1e-3, max_length=128,
    bf16=False, report_to="none", disable_tqdm=True, save_strategy="no", logging_steps=10)
trainer = {name}Trainer(model={model!r}, args=config, train_dataset=Dataset.from_list(rows),
    processing_class=AutoTokenizer.from_pretrained({model!r}), callbacks=[Marks()],
    peft_config=LoraConfig(r=8, task_type="CAUSAL_LM") if {lora} else None)
trainer.train()
print("MARKS" + json.dumps(marks))
"""
THROUGH_ALIGNTUNE = """
import json, time
from aligntune import create_trainer
marks = []
def listen(event):
    if type(event).__name__ == "Stepped" and not event.metrics:
        marks.append((time.time(), time.process_time()))
trainer = create_trainer(
    algorithm={algorithm!r}, backend="trl", model_name={model!r}, dataset_name={data!r}, output_dir={folder!r},
    max_steps={steps}, batch_size=8, learning_rate=1e-3, max_seq_length=128, use_peft={lora} or None,
    logging_steps=10, backend_args=dict(save_strategy="no"), on_event=listen, **({{"lora_r": 8}} if {lora} else {{}}))
trainer.train()
print("MARKS" + json.dumps(marks))
"""


def train(script: str, **values: object) -> tuple[float, ...]:
    """Seconds and processor seconds of one process until its first step ended, and the median from step to step."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "script.py")
        file.write_text(script.format(folder=folder, **values), encoding="utf-8")
        # every run prepares its rows itself
        environment = {**os.environ, "ALIGNTUNE_CACHE": str(Path(folder, "cache"))}
        begun = time.time()
        told = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, check=True, env=environment)
    line = next(line for line in told.stdout.splitlines() if line.startswith("MARKS"))
    marks = json.loads(line.removeprefix("MARKS"))
    (first, processor), *_ = marks
    return first - begun, processor, statistics.median(b - a for (a, _), (b, _) in itertools.pairwise(marks))


ALTERNATELY = """
import itertools, json, statistics, time
from aligntune import create_trainer
from transformers import TrainerCallback
class Marks(TrainerCallback):
    def __init__(self):
        self.times = []
    def on_step_end(self, args, state, control, **kwargs):
        self.times.append(time.perf_counter())
native = create_trainer(
    algorithm={algorithm!r}, backend="trl", model_name={model!r}, dataset_name={data!r}, output_dir={folder!r},
    max_steps={steps}, batch_size=8, learning_rate=1e-3, max_seq_length=128, use_peft={lora} or None,
    logging_steps=10, backend_args=dict(save_strategy="no"), on_event=lambda event: None).native
ours = list(native.callback_handler.callbacks)
engine_s = [each for each in ours if not type(each).__module__.startswith("aligntune")]
def median_step(callbacks):
    marks = Marks()
    native.callback_handler.callbacks = [*callbacks, marks]
    native.train()
    return statistics.median(b - a for a, b in itertools.pairwise(marks.times))
median_step(engine_s)
print("MARKS" + json.dumps([[median_step(ours), median_step(engine_s)] for _ in range({rounds})]))
"""


def alternately(rounds: int, **values: object) -> tuple[float, float]:
    """Medians of a step with AlignTune's callbacks and without, in turn in one process, where machines vary less."""
    with tempfile.TemporaryDirectory() as folder:
        code = ALTERNATELY.format(folder=folder, rounds=rounds, **values)
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    line = next(line for line in told.stdout.splitlines() if line.startswith("MARKS"))
    watched, alone = zip(*json.loads(line.removeprefix("MARKS")), strict=True)
    return statistics.median(watched), statistics.median(alone)


def many_rows(few: Path, count: int, folder: str) -> Path:
    """A file with so many rows, made of a few: each with a number in its texts, so that no two are the same."""
    rows = [json.loads(line) for line in few.read_text(encoding="utf-8").splitlines()]
    file = Path(folder, "rows.jsonl")
    with file.open("w", encoding="utf-8") as written:
        for number in range(count):
            row = rows[number % len(rows)]
            written.write(json.dumps({key: text and f"{text} {number}" for key, text in row.items()}) + "\n")
    return file


def process(words: list[str]) -> tuple[float, ...]:
    """Seconds, processor seconds and peak resident megabytes of one process."""
    begun = time.perf_counter()
    child = os.posix_spawn(
        words[0], words, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    _, status, usage = os.wait4(child, 0)
    if status:
        raise RuntimeError(f"{words} failed")
    return time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def in_turn(rounds: int, *measures: Callable[[], tuple[float, ...]]) -> list[list[float]]:
    """The medians of every measure's figures: each once to warm up, then all of them in turn, ``rounds`` times."""
    taken: list[list[tuple[float, ...]]] = [[] for _ in measures]
    for measure in measures:
        measure()
    for _ in range(rounds):
        for figures, measure in zip(taken, measures, strict=True):
            figures.append(measure())
    return [[statistics.median(each) for each in zip(*figures, strict=True)] for figures in taken]


def check_command(program: str, job_file: Path, values: Mapping[str, object]) -> list[str]:
    """The words that check a job without loading anything."""
    keys = {
        "backend": "trl",
        "algorithm": values["algorithm"],
        "model_name": values["model"],
        "dataset_name": values["data"],
    }
    job_file.write_text("".join(f"{key}: {value}\n" for key, value in keys.items()), encoding="utf-8")
    offered = subprocess.run([program, "check", "--help"], capture_output=True, text=True, check=True).stdout
    return [program, "check", str(job_file), *(["--fast"] if "--fast" in offered else [])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--algorithm", choices=["sft", "dpo"], default="sft")
    parser.add_argument("--lora", action="store_true")
    parser.add_argument("--rows", type=int, default=0, help="train on so many rows, and compare nothing else")
    options = parser.parse_args()

    from aligntune_core.data import builtin
    from aligntune_core.models.tiny import materialise

    os.environ["HF_HUB_OFFLINE"] = "1"
    # a program that is installed has its bytecode written
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    dataset = {"sft": "instructions", "dpo": "preferences"}[options.algorithm]
    values = {
        "algorithm": options.algorithm,
        "name": options.algorithm.upper(),
        "model": str(materialise()),
        "data": str(Path(builtin.__file__).parent / "builtin" / f"{dataset}.train.jsonl"),
        "steps": options.steps,
        "lora": options.lora,
    }
    with tempfile.TemporaryDirectory() as folder:
        if options.rows:
            values["data"] = str(many_rows(Path(str(values["data"])), options.rows, folder))
        trainings(options, values)
    if not options.rows:
        short_commands(options, values)


def trainings(options: argparse.Namespace, values: Mapping[str, object]) -> None:
    """Both trainings in turn, and what is said of them."""
    ours, theirs = in_turn(options.rounds, lambda: train(THROUGH_ALIGNTUNE, **values), lambda: train(BY_HAND, **values))
    what = f"{options.algorithm}{' with LoRA' if options.lora else ''}"
    print(f"{what}: medians of {options.rounds} rounds in turn, {options.steps} steps each")
    for name, mine, by_hand in zip(("start to first step", "processor time of it"), ours, theirs, strict=False):
        print(f"  {name}: {mine:.2f} s / by hand {by_hand:.2f} s = {mine / by_hand:.3f}")
    print(f"  a step: {ours[-1] * 1e3:.1f} ms / by hand {theirs[-1] * 1e3:.1f} ms = {ours[-1] / theirs[-1]:.3f}")

    if options.rows:
        return
    watched, alone = alternately(options.rounds, **values)
    print(
        f"  a step in one process: {watched * 1e3:.1f} ms / without AlignTune's callbacks {alone * 1e3:.1f} ms "
        f"= {watched / alone:.3f}"
    )


def short_commands(options: argparse.Namespace, values: Mapping[str, object]) -> None:
    """Commands that train nothing, against a bare interpreter."""
    program = str(Path(sys.executable).with_name("aligntune"))
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            "capabilities": [program, "capabilities"],
            "check": check_command(program, Path(folder, "job.yaml"), values),
        }
        *figures, bare = in_turn(
            4 * options.rounds,
            *(partial(process, words) for words in commands.values()),
            partial(process, [sys.executable, "-c", "pass"]),
        )
    for name, (seconds, processor, memory) in zip(commands, figures, strict=True):
        print(
            f"aligntune {name}: {seconds * 1e3:.0f} ms / bare interpreter {bare[0] * 1e3:.0f} ms "
            f"= {seconds / bare[0]:.1f} times, {processor:.2f} s of processor time, {memory:.0f} MB resident"
        )


if __name__ == "__main__":
    main()
