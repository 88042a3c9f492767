"""Backends that exist for a test only: objects in this process, and modules behind fake entry points."""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

import aligntune_core
from aligntune_core import BackendInfo, Capability, TrainResult, hookimpl
from aligntune_core.backends.registry import Registry

# a module that is first imported while a test has put something in another's place would keep it for good
for _found in pkgutil.walk_packages(aligntune_core.__path__, "aligntune_core."):
    if not _found.name.endswith("__main__"):
        import_module(_found.name)

CONVERSATION = {"messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}]}
PAIR = {"prompt": "2+2?", "chosen": "4", "rejected": "5"}
ROWS = {"sft": [CONVERSATION], "dpo": [PAIR], "reward": [PAIR]}


@pytest.fixture(autouse=True)
def _one_machine(request, monkeypatch, tmp_path):
    """Every test of this folder runs as on a machine without a GPU, in a folder of its own."""
    if request.path.parent != Path(__file__).parent:
        return
    for module in ("check.decide", "machine.devices"):
        monkeypatch.setattr(f"aligntune_core.{module}.device", lambda: "cpu")
    monkeypatch.chdir(tmp_path)


class FakeTrainer:
    model = tokenizer = native = None

    def train(self):
        return TrainResult(1, 0.5, "out")

    def evaluate(self):
        return {}

    def save(self, path=None, *, merge=False):
        return path


class FakeBackend:
    """A backend whose hooks return what it was made with."""

    def __init__(self, name, *rows, problems=(), trainer=None, algorithms=(), **info):
        self.info = BackendInfo(name=name, summary=name, contract=1, capabilities=rows, **info)
        self.problems = problems
        self.trainer = trainer or FakeTrainer()
        self.algorithms = algorithms
        self.checked = []
        self.created = []

    @hookimpl
    def aligntune_backend_info(self):
        return self.info

    @hookimpl
    def aligntune_algorithms(self):
        return self.algorithms

    @hookimpl
    def aligntune_check_job(self, job, probe):
        self.checked.append(probe)
        return self.problems() if callable(self.problems) else self.problems

    @hookimpl
    def aligntune_create_trainer(self, job, emit):
        if isinstance(self.trainer, BaseException):
            raise self.trainer
        return self.trainer

    @hookimpl
    def aligntune_trainer_created(self, job, trainer):
        self.created.append((job, trainer))


@pytest.fixture
def fake():
    """Make a backend; without rows it trains sft and dpo on a CPU in every way there is."""
    features = {"full", "lora", "packing", "gradient_checkpointing", "evaluation", "resume", "cpu", "cuda"}

    def make(name="fake", *rows, **options):
        return FakeBackend(name, *(rows or [Capability(each, features=features) for each in ("sft", "dpo")]), **options)

    return make


@pytest.fixture
def backends(fake):
    """A registry of backends of this process alone, each given as a name or as a plugin."""

    def make(*plugins):
        known = Registry(entry_points=[], environ={})
        for each in plugins:
            plugin = fake(each) if isinstance(each, str) else each
            known.register(plugin.info.name, plugin)
        return known

    return make


@pytest.fixture
def job():
    """The keys of a job that is right, with changes; a key changed to None is left out."""

    def make(**changes):
        algorithm = str(changes.get("algorithm", "sft"))
        given = {
            "algorithm": "sft",
            "model_name": "org/model",
            "dataset_name": ROWS.get(algorithm, [{"prompt": "2+2?", "answer": "4"}]),
            "output_dir": "out",
            **changes,
        }
        return {key: value for key, value in given.items() if value is not None}

    return make


_SOURCE = """
from aligntune_core import BackendInfo, Capability, hookimpl

@hookimpl
def aligntune_backend_info():
    return BackendInfo(name={name!r}, summary="", contract={contract}, capabilities=(Capability("sft"),), {info})

@hookimpl
def aligntune_create_trainer(job, emit):
    raise NotImplementedError
"""


@pytest.fixture
def plugin_folder(tmp_path, monkeypatch):
    """A folder that modules are imported from."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.fixture
def plugin(plugin_folder, tmp_path):
    """Write a plugin module and give the entry point that an installed distribution would have for it."""
    written = []

    def make(name, *, before="", after="", source=None, distribution=None, info="", contract=1, calls_itself=None):
        module = f"plugin_{len(written)}_of_{tmp_path.name}".replace("-", "_")
        written.append(module)
        text = _SOURCE.format(name=calls_itself or name, contract=contract, info=info) if source is None else source
        (plugin_folder / f"{module}.py").write_text(before + text + after)
        point = EntryPoint(name, module, "aligntune_core.backends")
        distribution = distribution or {"trl": "aligntune-trl", "unsloth": "aligntune-unsloth"}.get(
            name, f"{name}-dist"
        )
        vars(point).update(dist=SimpleNamespace(name=distribution, version="3.1"))
        return point

    yield make
    for module in written:
        sys.modules.pop(module, None)


@pytest.fixture
def module_file(plugin_folder, monkeypatch):
    """Write a module that a plugin may import; it is forgotten afterwards."""
    made = []

    def make(name, text=""):
        (plugin_folder / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
        made.append(name)

    yield make
    for name in made:
        sys.modules.pop(name, None)
