"""A run that is stopped and taken up in a new process goes on as if it had not been."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ppo_tiny import make_dataset, make_policy, make_trainer

from aligntune_core.errors import CheckpointError

PROGRAM = Path(__file__).with_name("ppo_tiny.py")


def run(folder, *options):
    command = [sys.executable, str(PROGRAM), str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module", params=["full", "lora"])
def whole(request, tmp_path_factory):
    options = ["--lora"] if request.param == "lora" else []
    folder = tmp_path_factory.mktemp("whole")
    return options, folder, run(folder, *options)


@pytest.mark.parametrize("step", [2, 3], ids=["inside an epoch", "between epochs"])
def test_a_resumed_run_is_bitwise_the_same(step, whole, tmp_path):
    options, _, expected = whole
    stopped = run(tmp_path, "--stop", str(step), *options)
    assert stopped["steps"] == step
    assert stopped["weights"] != expected["weights"]
    resumed = run(tmp_path, "--resume", str(tmp_path / f"checkpoint-{step}"), *options)
    assert resumed == expected


def test_what_a_checkpoint_leaves_out_would_be_noticed(whole, tmp_path):
    """The comparison above can fail: without the random state the resumed run is another one."""
    options, folder, expected = whole
    checkpoint = tmp_path / "checkpoint-3"
    shutil.copytree(folder / "checkpoint-3", checkpoint)
    (checkpoint / "rng_state.pth").unlink()
    assert run(tmp_path, "--resume", str(checkpoint), *options) != expected


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
