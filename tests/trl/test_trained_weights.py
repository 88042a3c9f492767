"""Weights that a training leaves infinite, or as they were, are told of with any backend whose model is torch's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from aligntune_core import (
    BackendInfo,
    Capability,
    Finished,
    Notice,
    RunError,
    Started,
    Stepped,
    TrainResult,
    hookimpl,
)
from aligntune_core.backends import registry as plugins
from aligntune_core.events import NOTHING_LEARNED
from aligntune_core.kit.weights import checksums, require_finite_weights, sizes
from aligntune_core.run.launch import create_trainer


class Tuner:
    """Trains two steps, in each of which ``change`` is done to the model, and sends what ``sends`` says besides."""

    tokenizer = native = None

    def __init__(self, model, change, emit, sends=(), before=None):
        self.model, self.change, self.emit, self.sends, self.before = model, change, emit, sends, before

    def train(self):
        if self.before:
            self.before(self.model)
        self.emit(Started(2))
        for step in (1, 2):
            with torch.no_grad():
                self.change(self.model)
            self.emit(Stepped(step, {"loss": 1.0}))
        for event in self.sends:
            self.emit(event)
        self.emit(Finished(2, 1.0))
        return TrainResult(2, 1.0, "out")

    def evaluate(self):
        return {}

    def save(self, path=None, *, merge=False):
        Path(path).mkdir(parents=True)
        (Path(path) / "weights").write_text("w")
        return Path(path)


class Plugin:
    def __init__(self, *given, **named):
        self.given, self.named = given, named

    @hookimpl
    def aligntune_backend_info(self):
        return BackendInfo("tuner", "", 1, (Capability("sft", features={"full", "cpu", "cuda"}),))

    @hookimpl
    def aligntune_create_trainer(self, job, emit):
        return Tuner(*self.given, emit, **self.named)


@pytest.fixture
def tuner(tmp_path):
    """Make the trainer of a backend that does this to that model, and the list of what is told."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")

    def make(model, change, **named):
        plugins.registry.cache_clear()
        plugins.registry().register("tuner", Plugin(model, change, **named))
        told = []
        rows = [{"instruction": "Say 1", "output": "1"}] * 4
        job = {"algorithm": "sft", "backend": "tuner", "model_name": str(tmp_path / "model"), "dataset_name": rows}
        return create_trainer(on_event=told.append, output_dir=str(tmp_path / "out"), **job), told

    yield make
    plugins.registry.cache_clear()


def layers(frozen=False, dtype=torch.float32):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Linear(5, 2)).to(dtype)
    if frozen:
        model[0].requires_grad_(False)
    return model


def nothing(model):
    pass


def last_digit(model):
    place = model[1].bias[-1:]
    place.copy_(torch.nextafter(place, torch.tensor([torch.inf])))


def first_layer(model):
    model[0].weight.add_(1.0)


def spoil(model):
    model[1].weight[0, 0] = float("nan")


def spoil_the_first(model):
    model[0].weight[0, 0] = float("inf")


def warnings(told):
    return [event.message for event in told if isinstance(event, Notice) and event.warning]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_weights_that_stay_as_they_are_are_a_warning(tuner, dtype):
    trainer, told = tuner(layers(dtype=dtype), nothing)
    assert trainer.train().steps == 2
    (said,) = warnings(told)
    assert said.startswith("no trained weight changed in 2 steps: ")
    assert isinstance(told[-1], Finished)


def test_a_change_of_the_last_digit_is_one(tuner):
    trainer, told = tuner(layers(), last_digit)
    trainer.train()
    assert warnings(told) == []


def test_a_weight_that_is_not_trained_does_not_count(tuner):
    trainer, told = tuner(layers(frozen=True), first_layer)
    trainer.train()
    assert len(warnings(told)) == 1
    trainer, told = tuner(layers(frozen=True).requires_grad_(False), nothing)
    trainer.train()
    assert warnings(told) == []


def test_what_a_resumed_run_loads_is_no_change(tuner):
    def load(model):
        with torch.no_grad():
            first_layer(model)

    trainer, told = tuner(layers(), nothing, before=load)
    trainer.train()
    assert len(warnings(told)) == 1


def test_a_backend_that_says_why_is_not_contradicted(tuner):
    trainer, told = tuner(layers(), nothing, sends=[Notice("all rewards were equal.", True, NOTHING_LEARNED)])
    trainer.train()
    assert warnings(told) == ["all rewards were equal."]
    trainer.sends = ()
    trainer.train()
    assert len(warnings(told)) == 2
    assert warnings(told)[1].startswith("no trained weight changed")


def test_weights_that_are_not_finite_end_the_run_and_are_not_saved(tuner, tmp_path):
    trainer, told = tuner(layers(), spoil)
    with pytest.raises(RunError, match=r"the weights are no longer finite after step 2 \('1.weight' is one\)"):
        trainer.train()
    assert not any(isinstance(event, Finished) for event in told)
    with pytest.raises(RunError, match="no longer finite after step 2"):
        trainer.save(tmp_path / "saved")
    assert not (tmp_path / "saved").exists()
    trainer, _ = tuner(layers(frozen=True), spoil_the_first)
    assert trainer.train().steps == 2


@pytest.mark.parametrize("model", [None, "a name", torch.nn.Linear(2, 2, device="meta")])
def test_nothing_is_said_of_weights_that_can_not_be_looked_at(tuner, model):
    trainer, told = tuner(model, nothing)
    assert trainer.train().steps == 2
    assert warnings(told) == []


def test_several_processes_are_not_compared(tuner, monkeypatch):
    for name, answer in {"is_available": True, "is_initialized": True, "get_world_size": 2}.items():
        monkeypatch.setattr(torch.distributed, name, lambda answer=answer: answer)
    trainer, told = tuner(layers(), nothing)
    trainer.train()
    assert warnings(told) == []


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("place", [0, 50, -1])
def test_one_weight_that_is_not_finite_is_enough(dtype, value, place):
    model = torch.nn.Module()
    model.none = torch.nn.Parameter(torch.zeros(0, dtype=dtype))
    model.part = torch.nn.Parameter(torch.randn(10, 10).to(dtype))
    model.nowhere = torch.nn.Parameter(torch.zeros(3, device="meta"))
    require_finite_weights(model, 3)
    with torch.no_grad():
        model.part.view(-1)[place] = value
    with pytest.raises(RunError, match=r"after step 3 \('part' is one\)"):
        require_finite_weights(model, 3)


def test_sizes_and_checksums():
    model = layers(frozen=True)
    assert sizes(model) == (3 * 5 + 5 + 5 * 2 + 2, 5 * 2 + 2)
    before = checksums(model)
    assert len(before) == 2
    with torch.no_grad():
        first_layer(model)
    assert checksums(model) == before
    odd = torch.nn.Module()
    odd.part = torch.nn.Parameter(torch.arange(7.0)[1:].to(torch.bfloat16)[1:])
    before = checksums(odd)
    with torch.no_grad():
        odd.part[-1] += 1
    assert checksums(odd) != before


def test_a_run_of_another_engine_imports_no_torch(tmp_path):
    core = Path(__file__).parents[1] / "core" / "run"
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "rows.jsonl").write_text('{"instruction": "Say 1", "output": "1"}\n')
    (tmp_path / "other.jsonl").write_text('{"instruction": "Say 2", "output": "2"}\n')
    program = (
        f"import sys; sys.path.insert(0, {str(core)!r})\n"
        "from scripted import *\n"
        "from aligntune_core.backends.registry import registry\n"
        "registry().register('planted', ScriptedBackend(Script()))\n"
        "driven(); print('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.stdout.strip() == "False", done.stderr
