"""A backend of this process whose trainer does what a script says: by default, all that it should."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aligntune_core import BackendInfo, Capability, Finished, Started, Stepped, TrainResult, hookimpl
from aligntune_core.run.launch import create_trainer

STEPS = (Stepped(1, {"loss": 3.0}), Stepped(2), Stepped(3, {"loss": 1.0}))
RUN = (Started(3), *STEPS, Finished(3, 1.0, {"train_loss": 2.0}))
RESULT = TrainResult(3, 2.0, "out")


def write(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.txt").write_text("weights")
    return folder


@dataclass
class Script:
    """What a backend's trainer does: by default, all that it should."""

    events: Any = RUN
    result: Any = RESULT
    figures: Any = field(default_factory=lambda: {"eval_loss": 1.0})
    save: Any = write
    raises: dict[str, BaseException] = field(default_factory=dict)
    before: Any = ()


class ScriptedTrainer:
    model = tokenizer = native = "the engine's"

    def __init__(self, script: Script, job: Any, emit: Any) -> None:
        self.script, self.job, self.emit = script, job, emit

    def train(self):
        for event in self.script.events:
            self.emit(event)
        self._raise("train")
        return self.script.result

    def evaluate(self):
        self._raise("evaluate")
        return self.script.figures

    def save(self, path=None, *, merge=False):
        self._raise("save")
        return self.script.save(Path(path or self.job.output_dir))

    def _raise(self, name):
        if name in self.script.raises:
            raise self.script.raises[name]


class ScriptedBackend:
    def __init__(self, script: Script, kind: Any = ScriptedTrainer) -> None:
        self.script, self.kind = script, kind

    @hookimpl
    def aligntune_backend_info(self):
        return BackendInfo("planted", "", 1, (Capability("sft", features={"full", "cpu", "evaluation"}),))

    @hookimpl
    def aligntune_create_trainer(self, job, emit):
        for event in self.script.before:
            emit(event)
        return self.kind(self.script, job, emit)


JOB = {
    "algorithm": "sft", "backend": "planted", "model_name": "model", "dataset_name": "rows.jsonl",
    "eval_dataset_name": "other.jsonl", "output_dir": "out",
}  # fmt: skip


def made(told=None):
    return create_trainer(on_event=(lambda _: None) if told is None else told.append, **JOB)


def driven(told=None):
    """The whole of a run, as a Python user goes through it."""
    trainer = made(told)
    trainer.train()
    trainer.save()
    return trainer.evaluate()
