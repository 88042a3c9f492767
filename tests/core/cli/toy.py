"""A backend of a few lines that needs no machine-learning package: what it does is told by ``backend_args.act``."""

import os
import sys
from pathlib import Path

from aligntune_core import (
    BackendInfo,
    Capability,
    CheckpointSaved,
    DataError,
    DataReady,
    Evaluated,
    Feature,
    Finished,
    JobError,
    Notice,
    Problem,
    RewardError,
    RunError,
    Saved,
    Severity,
    Started,
    Stepped,
    Support,
    TrainResult,
    hookimpl,
)

FEATURES = frozenset({Feature.FULL, Feature.CPU, Feature.CUDA, Feature.EVALUATION})


class ToyTrainer:
    model = tokenizer = native = None

    def __init__(self, job, emit):
        self.job, self.emit = job, emit

    def train(self):
        act, total = self.job.backend_args.get("act"), self.job.max_steps or 4
        self.emit(Started(total, 0, 1_000_000, 2_000, "cpu"))
        for step in range(1, total + 1):
            self.emit(Stepped(step, {"loss": 4.0 / step} if step % (self.job.logging_steps or 1) == 0 else {}))
            if step == 2:
                checkpoint = Path(self.job.output_dir, "checkpoint-2")
                checkpoint.mkdir(parents=True, exist_ok=True)
                self.emit(CheckpointSaved(step, str(checkpoint)))
                self._act(act)
        self.emit(Finished(total, 2.0, {}))
        return TrainResult(total, 2.5, self.job.output_dir, {"epoch": float("nan") if act == "nan" else 1.0})

    def _act(self, act):
        if act == "interrupt":
            raise KeyboardInterrupt
        if act == "run-error":
            raise RunError("the loss is not a number.", fix="Lower the learning_rate.") from ValueError(
                "inf in layer 3"
            )
        if act == "reward-error":
            raise RewardError("the function 'score' returned nan.")
        if act == "crash":
            raise ZeroDivisionError("the engine's own words")
        if act == "exit":
            raise SystemExit(3)
        if act == "print":
            print("the engine prints")
            os.write(1, b"compiled code prints\n")

    def evaluate(self):
        self.emit(Evaluated(4, {"eval_loss": 2.25}))
        return {"eval_loss": 2.25}

    def save(self, path=None, *, merge=False):
        folder = Path(path or self.job.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.txt").write_text("merged" if merge else "weights", encoding="utf-8")
        self.emit(Saved(str(folder)))
        return folder


class ToyBackend:
    @hookimpl
    def aligntune_backend_info(self):
        rows = (
            Capability("sft", Support.FULL, FEATURES),
            Capability("dpo", Support.EXPERIMENTAL, FEATURES, "it was tried | once"),
        )
        return BackendInfo("toy", "A toy", 1, rows)

    @hookimpl
    def aligntune_check_job(self, job):
        if job.backend_args.get("act") == "warn":
            return [Problem("toy-doubt", "the toy has doubts.", "Do not worry.", "backend_args.act", Severity.WARNING)]
        return []

    @hookimpl
    def aligntune_create_trainer(self, job, emit):
        act = job.backend_args.get("act")
        if act == "data-error":
            raise DataError("no row is left to learn from.", fix="Look at column_mapping.")
        if act == "late-refusal":
            raise JobError([Problem("engine-refused", "the engine will not have it.", key="backend_args.act")])
        first = {"prompt": [{"role": "user", "content": "Hi\x1b[31m " + "long " * 100}], "completion": "Hello"}
        emit(DataReady("training data", str(job.dataset_name), "alpaca", 8, {"the answer is empty": 2}, first))
        emit(Notice("precision is fp32."))
        if act == "notice":
            emit(Notice("this is odd.", warning=True))
        return ToyTrainer(job, emit)


def main():
    from aligntune_core.backends.registry import registry
    from aligntune_core.cli.main import main as run

    registry().register("toy", ToyBackend())
    run(sys.argv[1:])


if __name__ == "__main__":
    main()
