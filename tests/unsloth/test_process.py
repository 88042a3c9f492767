"""The process that Unsloth is imported into, tried with a stand-in that rewrites TRL's classes as the real one does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("trl", reason="TRL is not installed")
torch = pytest.importorskip("torch", reason="torch is not installed")

FAKE = Path(__file__).parents[1] / "plugins" / "fake_unsloth" / "src"
TELL = """
import json, os, sys
from aligntune_core import BackendError
from aligntune_unsloth.process import import_unsloth
import torch
torch.cuda.is_available = lambda: {gpu}
{before}
try:
    told = str(import_unsloth({folder!r}))
except BackendError as error:
    told = str(error)
names = ("UNSLOTH_COMPILE_LOCATION", "UNSLOTH_DISABLE_STATISTICS", "UNSLOTH_DISABLE_CPU_FALLBACK",
         "UNSLOTH_RETURN_LOGITS", "UNSLOTH_ALLOW_CPU", "TORCHINDUCTOR_CACHE_DIR")
said = {{"told": told, "loaded": "unsloth" in sys.modules, **{{name: os.environ.get(name) for name in names}}}}
sys.stderr.write("\\n" + json.dumps(said))
"""


def imported(folder, *, gpu=True, before="", **environ):
    """What a fresh process tells, and what it printed on standard output."""
    code = TELL.format(gpu=gpu, folder=str(folder), before=before)
    paths = os.pathsep.join([str(FAKE), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": paths, **environ}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stderr.splitlines()[-1]), done.stdout


def test_what_it_writes_and_asks_is_settled_before_it_is_imported(tmp_path):
    given = {"UNSLOTH_RETURN_LOGITS": "1", "UNSLOTH_ALLOW_CPU": "1", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "kept")}
    said, printed = imported(tmp_path / "out", **given)
    assert said["told"] == said["UNSLOTH_COMPILE_LOCATION"] == str(tmp_path / "out" / ".unsloth")
    assert (said["UNSLOTH_DISABLE_STATISTICS"], said["UNSLOTH_DISABLE_CPU_FALLBACK"]) == ("1", "1")
    assert (said["UNSLOTH_RETURN_LOGITS"], said["UNSLOTH_ALLOW_CPU"]) == (None, None)
    assert said["TORCHINDUCTOR_CACHE_DIR"] == str(tmp_path / "kept")
    assert printed == ""


def test_what_it_prints_leaves_standard_output_alone(tmp_path):
    # the stand-in imports TRL, and this hook prints when it does
    noisy = "import builtins; real = builtins.__import__\n"
    noisy += "def loud(name, *rest):\n    name == 'unsloth' and print('sloth')\n    return real(name, *rest)\n"
    _, printed = imported(tmp_path, before=noisy + "builtins.__import__ = loud")
    assert printed == ""


def test_a_machine_without_a_gpu_is_refused_and_unsloth_is_not_imported(tmp_path):
    said, _ = imported(tmp_path, gpu=False)
    assert "needs a CUDA GPU" in said["told"]
    assert not said["loaded"]


def test_a_process_whose_trainers_are_not_rewritten_is_refused(tmp_path):
    said, _ = imported(tmp_path, before="import types; sys.modules['unsloth'] = types.ModuleType('unsloth')")
    assert "not rewritten" in said["told"]


def test_an_import_that_fails_says_why(tmp_path):
    before = "sys.path.insert(0, os.getcwd()); sys.modules.pop('unsloth', None)\n"
    before += "class Finder:\n    def find_spec(self, name, *rest):\n        if name == 'unsloth':\n"
    before += "            raise ImportError('torchvision does not fit')\nsys.meta_path.insert(0, Finder())"
    said, _ = imported(tmp_path, before=before)
    assert "torchvision does not fit" in said["told"]
    assert "constraints.txt" in said["told"]
