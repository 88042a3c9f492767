"""A backend as light as can be, of which ``backend_args`` say what its trainer does."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from aligntune_core import (
    BackendInfo,
    Capability,
    DataError,
    DataReady,
    Evaluated,
    Finished,
    JobError,
    Notice,
    Problem,
    RunError,
    Saved,
    Started,
    Stepped,
    TrainResult,
    hookimpl,
)

FEATURES = {"full", "lora", "cpu", "cuda", "evaluation", "resume"}


class EngineError(RuntimeError):
    """An exception that only the engine's process knows."""


@dataclass
class State:
    """What engines give reward functions besides columns."""

    global_step: int
    model: object = None


class Actor:
    model = tokenizer = native = None

    def __init__(self, job, emit):
        self.job, self.emit = job, emit
        self.args = job.backend_args
        self.logged = []

    def train(self):
        total = self.job.max_steps or 3
        self.emit(Started(total, 0, 10, 10, "cpu"))
        for step in range(1, total + 1):
            metrics = {"loss": 4.0 / step, **self.args.get("metrics", {})}
            if self.args.get("act") == "score":
                metrics["reward"] = sum(self.rewards_of(["4", str(step)], step))
            self.emit(Stepped(step, metrics))
            if step == self.args.get("at", 2):
                self.act(self.args.get("act", ""))
            time.sleep(self.args.get("pause", 0))
        self.emit(Finished(total, 1.5, {"train_loss": 2.5}))
        return TrainResult(total, 2.5, self.job.output_dir, {"epoch": 1.0, "logged": float(len(self.logged))})

    def act(self, act):
        getattr(self, act.replace("-", "_"), lambda: None)()

    def rewards_of(self, completions, step=0):
        from aligntune_core.rewards import guarded, resolve

        (function, *_) = resolve(self.job.reward_functions)
        columns = {"answer": ["4", "5"], "trainer_state": State(step, object()), "log_metric": self.logged.append}
        return guarded(function)(prompts=["p"] * len(completions), completions=completions, **columns, odd=object())

    def threads(self):
        scores = {}

        def score(number):
            scores[number] = self.rewards_of([str(number)])

        started = [threading.Thread(target=score, args=(number,)) for number in range(4)]
        for each in started:
            each.start()
        for each in started:
            each.join()
        self.emit(Notice(json.dumps(sorted(scores.items()))))

    def run_error(self):
        raise RunError("the loss is odd.", fix="Lower it.", code="odd-loss") from ValueError("inf in layer 3")

    def engine_error(self):
        raise EngineError("the engine's own words")

    def job_error(self):
        raise JobError([Problem("engine-refused", "it will not.", "Try another.", "backend_args.act", "error", "f:3")])

    def printing(self):
        print("the engine prints")
        os.write(1, b"\xff\x00{}\n[1]\n")
        os.write(2, b"and complains\n")

    def exit(self):
        os._exit(0)

    def system_exit(self):
        raise SystemExit(3)

    def segfault(self):
        sys.stderr.write("a last word\n")
        os.kill(os.getpid(), signal.SIGSEGV)

    def killed(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def hold(self):
        """Keep the interpreter's lock, as compiled code may."""
        Path("busy").write_text(str(os.getpid()))
        ctypes.PyDLL(None).sleep(60)

    def leave_and_die(self):
        """Leave a program behind."""
        left = subprocess.Popen(["sleep", "60"])
        Path("left").write_text(str(left.pid))
        self.killed()

    def garbage(self):
        os.write(int(sys.argv[1]), b"what is this\n")
        time.sleep(60)

    def close(self):
        socket.fromfd(int(sys.argv[1]), socket.AF_UNIX, socket.SOCK_STREAM).shutdown(socket.SHUT_WR)
        time.sleep(60)

    def wait(self):
        Path("busy").write_text(str(os.getpid()))
        while True:
            time.sleep(0.01)

    def stubborn(self):
        Path("busy").write_text(str(os.getpid()))
        while True:
            try:
                time.sleep(60)
            except KeyboardInterrupt:
                Path("ignored").touch()

    def evaluate(self):
        self.emit(Evaluated(3, {"eval_loss": 2.25}))
        return {"eval_loss": 2.25}

    def save(self, path=None, *, merge=False):
        folder = Path(path or self.job.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.txt").write_text("merged" if merge else "weights")
        self.emit(Saved(str(folder)))
        return folder


@hookimpl
def aligntune_backend_info():
    return BackendInfo("acting", "", 1, tuple(Capability(each, features=FEATURES) for each in ("sft", "dpo", "grpo")))


@hookimpl
def aligntune_create_trainer(job, emit):
    act = job.backend_args.get("made", "")
    if act == "data-error":
        raise DataError("no row is left.", fix="Look at column_mapping.")
    if act == "look":
        engines = sorted({"torch", "datasets"} & set(sys.modules))
        emit(Notice(json.dumps([os.getpid(), str(Path.cwd()), os.environ.get("PASSED"), engines])))
    if act == "data":
        rows = list(job.dataset_name)
        emit(DataReady("training data", type(job.dataset_name).__name__, "any", len(rows), {}, {"rows": rows}))
    if act == "slow":
        time.sleep(60)
    Actor(job, emit).act(act)
    return Actor(job, emit)
