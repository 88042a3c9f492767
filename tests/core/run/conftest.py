"""A process whose only backend of its own is a scripted one, in a folder with a model and rows."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from aligntune_core.backends import registry as plugins

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _one_machine(monkeypatch, tmp_path):
    for module in ("check.decide", "machine.devices"):
        monkeypatch.setattr(f"aligntune_core.{module}.device", lambda: "cpu")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def planted():
    """Make a backend of a script the only one that this process brings."""
    from scripted import ScriptedBackend, ScriptedTrainer

    Path("model").mkdir()
    Path("model/config.json").write_text("{}", encoding="utf-8")
    rows = [{"instruction": f"Say {n}", "output": f"{n}"} for n in range(8)]
    for name in ("rows.jsonl", "other.jsonl"):
        Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def make(script, kind=ScriptedTrainer):
        plugins.registry.cache_clear()
        plugins.registry().register("planted", ScriptedBackend(script, kind))

    yield make
    plugins.registry.cache_clear()
