"""The backend that docs/backends.md has in full is one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "backends.md"
PROGRAM = "from aligntune_core.cli.main import main; main()"
JOB = ("algorithm=sft", "backend=acme", "model_name=builtin:tiny", "dataset_name=builtin:instructions")


@pytest.fixture
def aligntune(tmp_path):
    """The program, with the page's backend tried."""
    written = PAGE.read_text(encoding="utf-8").partition("## A whole one\n")[2].partition("\n## ")[0]
    modules = re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```", written, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in modules] == ["plugin.py", "trainer.py"]
    package = tmp_path / "src" / "aligntune_acme"
    package.mkdir(parents=True)
    for name, text in [*modules, ("__init__.py", "")]:
        (package / name).write_text(text, encoding="utf-8")

    def run(*words):
        command = [sys.executable, "-c", PROGRAM, *words, "--plugin", "src/aligntune_acme/plugin.py"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def test_the_written_backend_is_checked_and_trains(aligntune, tmp_path):
    done = aligntune("check", *JOB, "max_steps=2")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "2, each from 4 examples" in done.stdout
    assert "  > The day after Saturday is Sunday." in done.stdout
    done = aligntune("train", *JOB, "max_steps=2", "output_dir=out")
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    assert "Use it in Python:" in done.stdout + done.stderr
    assert "algorithm=dpo" not in done.stdout + done.stderr, "the backend declares no DPO"
    assert (tmp_path / "out" / "model.safetensors").is_file()


def test_the_written_backend_refuses_what_it_can_not_do(aligntune):
    done = aligntune("check", *JOB, "--fast")
    assert (done.returncode, "[acme-steps]" in done.stdout + done.stderr) == (2, True)
    done = aligntune("check", *JOB, "max_steps=2", "save_steps=1", "--fast")
    assert "'acme' does not take 'save_steps'" in done.stdout + done.stderr
