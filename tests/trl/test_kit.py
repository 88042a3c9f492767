"""The kit is enough for a backend on transformers' own Trainer, which this is one of: it trains, resumes and stops."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch
from transformers import Trainer, TrainingArguments
from trl_runs import DATA

from aligntune_core import (
    BackendInfo,
    Capability,
    CheckpointError,
    CheckpointSaved,
    DatasetKind,
    Finished,
    ModelError,
    Notice,
    RunError,
    Started,
    Stepped,
    TrainResult,
    hookimpl,
)
from aligntune_core.backends import registry as plugins
from aligntune_core.data import prepare_job
from aligntune_core.kit.callbacks import add_callbacks, as_callback
from aligntune_core.kit.checkpoints.choose import resume_from
from aligntune_core.kit.event_callback import EventCallback
from aligntune_core.kit.figures import numbers
from aligntune_core.kit.loading import ensure_chat_template, load_model, load_tokenizer
from aligntune_core.kit.quiet import quiet_engine
from aligntune_core.kit.resuming import NothingLeftError
from aligntune_core.kit.starting_model import starting_model
from aligntune_core.run.launch import create_trainer


class PlainTrainer:
    def __init__(self, job, emit):
        self.job, self.emit = job, emit
        self.checkpoint, _ = resume_from(job)
        rows, _ = prepare_job(job, DatasetKind.DEMONSTRATIONS, emit)
        place = starting_model(job.model_name, emit)
        self.tokenizer = load_tokenizer(place, job.model_name, trust_remote_code=False)
        ensure_chat_template(self.tokenizer, job.model_name, emit)
        with quiet_engine():
            self.model = load_model(place, job.model_name, trust_remote_code=False, dtype=torch.float32)
        texts = [row["prompt"] + row["completion"] for row in rows.rows]
        ids = [self.tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
        settings = {
            "max_steps": job.max_steps,
            "learning_rate": job.learning_rate,
            "save_strategy": "steps" if job.save_steps else "no",
            "save_steps": job.save_steps or 500,
        }
        arguments = TrainingArguments(
            job.output_dir,
            per_device_train_batch_size=2,
            logging_steps=1,
            report_to=[],
            use_cpu=True,
            disable_tqdm=True,
            **settings,
        )
        self.native = Trainer(self.model, arguments, _collated, [{"input_ids": each} for each in ids])
        add_callbacks(self.native, job, emit)

    def train(self):
        begun = time.monotonic()
        try:
            with quiet_engine():
                done = self.native.train(resume_from_checkpoint=str(self.checkpoint) if self.checkpoint else None)
        except NothingLeftError:
            steps, metrics = self.native.state.global_step, {}
        else:
            steps, metrics = done.global_step, numbers(done.metrics)
        self.emit(Finished(steps, time.monotonic() - begun, metrics))
        return TrainResult(steps, metrics.get("train_loss"), self.job.output_dir, metrics)

    def evaluate(self):
        return numbers(self.native.evaluate())

    def save(self, path=None, *, merge=False):
        folder = Path(path or self.job.output_dir)
        with quiet_engine():
            self.model.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)
        return folder


def _collated(rows):
    longest = max(len(row["input_ids"]) for row in rows)
    ids = [row["input_ids"] + [0] * (longest - len(row["input_ids"])) for row in rows]
    return {"input_ids": torch.tensor(ids), "labels": torch.tensor(ids)}


class PlainBackend:
    @hookimpl
    def aligntune_backend_info(self):
        return BackendInfo("plain", "", 1, (Capability("sft", features={"full", "cpu", "cuda", "resume"}),))

    @hookimpl
    def aligntune_create_trainer(self, job, emit):
        return PlainTrainer(job, emit)


@pytest.fixture
def plain(letters, tmp_path):
    """Make a trainer of the backend, with what it tells."""
    plugins.registry.cache_clear()
    plugins.registry().register("plain", PlainBackend())

    def make(**job):
        told = []
        job = {"model_name": letters, "dataset_name": DATA["sft"], "output_dir": str(tmp_path / "out"), **job}
        job = {"algorithm": "sft", "backend": "plain", "max_steps": 3, "learning_rate": 1e-3, **job}
        return create_trainer(on_event=told.append, **job), told

    yield make
    plugins.registry.cache_clear()


def test_it_trains_tells_and_saves(plain, tmp_path):
    trainer, told = plain()
    result = trainer.train()
    assert result.steps == 3
    assert trainer.save() == tmp_path / "out"
    names = [type(event).__name__ for event in told]
    assert names == ["Decided", "DataReady", "Notice", "Started", *["Stepped"] * 6, "Finished", "Saved"]
    started = next(event for event in told if isinstance(event, Started))
    assert started.parameters == started.trainable == sum(weight.numel() for weight in trainer.model.parameters())
    assert [event.step for event in told if isinstance(event, Stepped) and event.metrics] == [1, 2, 3]
    assert (tmp_path / "out" / "model.safetensors").is_file()


def test_it_resumes_and_knows_whose_a_checkpoint_is(plain, tmp_path):
    trainer, told = plain(save_steps=2, max_steps=4)
    whole = trainer.train()
    assert [event.step for event in told if isinstance(event, CheckpointSaved)] == [2, 4]
    two = tmp_path / "out" / "checkpoint-2"
    trainer, told = plain(resume=str(two), max_steps=4)
    assert trainer.train().steps == 4
    assert [event.first_step for event in told if isinstance(event, Started)] == [2]
    losses = [event.metrics["loss"] for event in told if isinstance(event, Stepped) and event.metrics]
    assert len(losses) == 2
    assert whole.steps == 4
    trainer, told = plain(resume=True, max_steps=4)
    assert trainer.train().steps == 4  # it was at its end
    assert not any(isinstance(event, Stepped) for event in told)
    (two / "optimizer.pt").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"lacks optimizer\.pt"):
        plain(resume=str(two))
    with pytest.raises(CheckpointError, match=r"is of model '.*', but the job is of 'builtin:tiny'"):
        plain(resume=True, model_name="builtin:tiny")


def test_it_stops_where_it_diverges(plain, tmp_path):
    trainer, told = plain(learning_rate=1e30, max_steps=5, save_steps=1)
    with pytest.raises(RunError, match=r"Training diverged: .* at step 2|no longer finite after step [12]"):
        trainer.train()
    assert not any(isinstance(event, Finished) for event in told)
    assert not list((tmp_path / "out").glob("checkpoint-[2-9]"))


def test_a_model_that_can_not_be_loaded_is_named(plain, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="can't be loaded"):
        plain(model_name=str(tmp_path / "broken"))


def test_a_plain_template_is_said(plain):
    _, told = plain()
    (notice,) = [event for event in told if isinstance(event, Notice)]
    assert "no chat template" in notice.message


def test_a_callback_is_transformers_own_and_keeps_its_name():
    from transformers import TrainerCallback

    made = as_callback(EventCallback(print))
    assert isinstance(made, TrainerCallback)
    assert isinstance(made, EventCallback)
    assert type(made).__name__ == "EventCallback"
    assert made.on_epoch_begin(None, None, None) is None
