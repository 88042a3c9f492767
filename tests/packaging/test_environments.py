"""Environments made by real installers from a package index: two releases of TRL that exclude each other train.

Run with ``python -m pytest -m "packaging and slow" tests/packaging/test_environments.py``: it needs a package index,
and takes a minute and a half with uv.
"""

from __future__ import annotations

import json
import sys

import pytest

pytestmark = [pytest.mark.packaging, pytest.mark.slow]

VERSIONS = {"older": "1.12.0", "newer": "1.16.0"}
JOB = ("algorithm=sft", "backend=trl", "model_name=builtin:tiny", "dataset_name=builtin:instructions", "max_steps=2")


@pytest.fixture(scope="module")
def core(core_only_with):
    """The core alone; no backend is installed beside it."""
    return core_only_with(sys.executable)


def test_two_releases_of_trl_live_side_by_side_and_both_train(core, tmp_path):
    losses = {}
    for name, version in VERSIONS.items():
        place = {"ALIGNTUNE_ENVIRONMENTS": str(tmp_path / name)}
        words = ("create", name, "--from", "aligntune-trl", "--with", f"trl=={version}")
        core.aligntune("env", *words, seconds=900, **place)
        told = json.loads(core.aligntune("env", "list", "--json", **place).stdout)["environments"][name]
        assert told["found"]["packages"]["trl"] == version
        assert core.aligntune("env", "check", **place).stdout == f"{name}  as it was recorded\n"
        listed = json.loads(core.aligntune("backends", "--json", **place).stdout)
        assert (listed["trl"]["status"], listed["trl"]["environment"]) == ("ready", name)
        run = core.aligntune("train", *JOB, f"output_dir={tmp_path / name / 'out'}", "--json", **place)
        losses[name] = json.loads(run.stdout)["train_loss"]
    # the same job on both
    assert losses["older"] == pytest.approx(losses["newer"], abs=1e-4)
