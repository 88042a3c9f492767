"""A run that is stopped and taken up in a new process goes on as if it had not been."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from ppo_tiny import make_dataset, make_policy, make_trainer, run

from aligntune_core.errors import CheckpointError

PROGRAM = Path(__file__).with_name("ppo_tiny.py")


@pytest.fixture(scope="module", params=["full", "lora"])
def runs(request, tmp_path_factory):
    """A whole run, and what a new process makes of its checkpoints: two as they are, one without its random state."""
    folder = tmp_path_factory.mktemp("whole")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    whole = run(folder, lora=request.param == "lora")
    torch.set_num_threads(threads)
    forgetful = folder / "forgetful"
    shutil.copytree(folder / "checkpoint-3", forgetful)
    (forgetful / "rng_state.pth").unlink()
    checkpoints = [str(folder / name) for name in ("checkpoint-2", "checkpoint-3", "forgetful")]
    command = [sys.executable, str(PROGRAM), request.param, str(tmp_path_factory.mktemp("resumed")), *checkpoints]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    resumed = [json.loads(line) for line in done.stdout.splitlines()[-3:]]
    return json.loads(json.dumps(whole)), dict(
        zip(("inside an epoch", "between epochs", "forgetful"), resumed, strict=True)
    )


@pytest.mark.parametrize("place", ["inside an epoch", "between epochs"])
def test_a_resumed_run_is_bitwise_the_same(place, runs):
    whole, resumed = runs
    assert whole["steps"] == 6
    assert resumed[place] == whole


def test_the_comparison_can_fail(runs):
    whole, resumed = runs
    assert resumed["forgetful"]["weights"] != whole["weights"]


def test_a_checkpoint_without_its_value_model_is_refused(tmp_path):
    settings = {"max_steps": 2, "save_strategy": "steps", "save_steps": 1}
    make_trainer(tmp_path, **settings).train()
    shutil.rmtree(tmp_path / "checkpoint-1" / "value_model")
    with pytest.raises(CheckpointError, match="has no value model"):
        make_trainer(tmp_path, **settings).train(resume_from_checkpoint=str(tmp_path / "checkpoint-1"))


def test_a_checkpoint_of_another_adapter_is_refused(tmp_path):
    settings = {"max_steps": 2, "save_strategy": "steps", "save_steps": 1, "rows": len(make_dataset())}
    make_trainer(tmp_path, policy=make_policy(lora=True), **settings).train()
    small = make_policy(lora=True)
    for name, weight in small.named_parameters():
        if "v_proj" in name:
            weight.requires_grad_(False)
    with pytest.raises(CheckpointError, match="other weights"):
        make_trainer(tmp_path, policy=small, **settings).train(resume_from_checkpoint=str(tmp_path / "checkpoint-1"))
