"""A backend that is installed for this process and for those that it starts, in a folder with a model and rows."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from aligntune_core.backends import registry as plugins
from aligntune_core.run.launch import create_trainer
from aligntune_core.run.process.remote_trainer import RemoteTrainer

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))


@pytest.fixture
def site(tmp_path):
    """A folder to import from, with the backend installed in it."""
    folder = tmp_path / "site"
    told = folder / "aligntune_acting-1.0.dist-info"
    told.mkdir(parents=True)
    shutil.copy(HERE / "acting.py", folder / "aligntune_acting.py")
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: aligntune-acting\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[aligntune_core.backends]\nacting = aligntune_acting\n")
    return folder


@pytest.fixture(autouse=True)
def _installed(site, monkeypatch, tmp_path):
    for name, path in {"temporary": tmp_path / "temporary", "work": tmp_path / "work"}.items():
        path.mkdir()
        if name == "temporary":
            monkeypatch.setenv("TMPDIR", str(path))
            monkeypatch.setattr("tempfile.tempdir", str(path))
        else:
            monkeypatch.chdir(path)
    monkeypatch.syspath_prepend(str(site))
    here = [str(Path(module.__file__).parents[1]) for module in (sys.modules["aligntune_core"],)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), *here]))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    Path("model").mkdir()
    Path("model/config.json").write_text("{}")
    rows = [{"instruction": f"Say {n}", "output": f"{n}"} for n in range(8)]
    for name in ("rows.jsonl", "other.jsonl"):
        Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    plugins.registry.cache_clear()
    yield
    plugins.registry.cache_clear()
    sys.modules.pop("aligntune_acting", None)


@pytest.fixture
def keys():
    """The keys of a job that the backend trains in a process of its own, with changes."""

    def make(**changes):
        args = {name: changes.pop(name) for name in ("act", "made", "at", "pause", "metrics") if name in changes}
        given = {
            "algorithm": "sft", "backend": "acting", "model_name": "model", "dataset_name": "rows.jsonl",
            "output_dir": "out", "isolation": "process", "backend_args": args, **changes,
        }  # fmt: skip
        return {key: value for key, value in given.items() if value is not None}

    return make


@pytest.fixture
def made(keys):
    """Make the trainer of such a job, and note its events."""
    trainers = []

    def make(told=None, on_event=None, **changes):
        events = [] if told is None else told
        trainers.append(create_trainer(on_event=on_event or events.append, **keys(**changes)))
        return trainers[-1]

    yield make
    for trainer in trainers:
        if isinstance(trainer, RemoteTrainer):
            trainer.close()
