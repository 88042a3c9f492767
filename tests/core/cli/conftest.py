"""The command line as a person meets it: words in; exit code, standard output and standard error out."""

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from aligntune_core.backends import registry as plugins
from aligntune_core.cli.main import main

TOY = Path(__file__).parent / "toy.py"


@dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def toy(monkeypatch, tmp_path):
    """A registry of its own with the backend ``toy`` in it, in a folder with one small dataset."""
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "NO_COLOR", "ALIGNTUNE_DISABLED_BACKENDS", "ALIGNTUNE_ONLY_BACKENDS"):
        monkeypatch.delenv(name, raising=False)
    rows = [{"instruction": f"Say {n}", "input": "", "output": f"{n}"} for n in range(8)]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    Path("model").mkdir()
    Path("model/config.json").write_text("{}", encoding="utf-8")
    spec = importlib.util.spec_from_file_location("toy_backend", TOY)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    plugins.registry.cache_clear()
    plugins.registry().register("toy", module.ToyBackend())
    yield module
    plugins.registry.cache_clear()


@pytest.fixture
def aligntune(capfd):
    """Runs the command line in this process."""

    def run(*words):
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main(list(words))
        out, err = capfd.readouterr()
        return Said(end.value.code, out, err)

    return run


@pytest.fixture
def job_words():
    """Words that describe a job which the toy backend trains."""
    return ("algorithm=sft", "backend=toy", "model_name=model", "dataset_name=rows.jsonl", "output_dir=out")


@pytest.fixture
def process():
    """Runs the command line, with the toy backend, in a process of its own."""

    def run(*words, stdout=subprocess.PIPE, **environ):
        done = subprocess.run(
            [sys.executable, str(TOY), *words],
            stdout=stdout,
            stderr=subprocess.PIPE,
            env={**os.environ, **environ},
            check=False,
            timeout=60,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return run
