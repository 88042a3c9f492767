"""Configurations of the real Unsloth, read back field by field; without a GPU its configuration classes can be made."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

pytestmark = pytest.mark.skipif(find_spec("unsloth") is None, reason="unsloth is not installed")

BEGIN = """
import json, os, sys
# its classes are made as for a GPU, and no model can be
os.environ.update(UNSLOTH_ALLOW_CPU="1", UNSLOTH_DISABLE_STATISTICS="1", UNSLOTH_SKIP_TORCHVISION_CHECK="1")
os.environ["UNSLOTH_COMPILE_LOCATION"] = os.path.join(os.getcwd(), "compiled")
import contextlib
with contextlib.redirect_stdout(sys.stderr):
    import unsloth
    from unsloth.models import rl
    rl.patch_trl_rl_trainers()
import trl
from dataclasses import fields
from aligntune_core import Job, JobError
from aligntune_trl.translation.arguments import config_arguments
from aligntune_trl.translation.recipes import RECIPES
from aligntune_unsloth.trainers.settings import original, require_same, rewritten_configuration

def made(algorithm, **more):
    job = Job(algorithm=algorithm, model_name="org/m", dataset_name="org/d", output_dir="out", **more)
    recipe = RECIPES[algorithm]
    kind = getattr(trl, recipe.config)
    arguments = {"bf16": False, "fp16": False, **config_arguments(job, recipe)}
    with contextlib.redirect_stdout(sys.stderr):
        return kind, arguments, rewritten_configuration(kind, arguments, 512)
"""
CONFIGS = """
told = {}
for algorithm in ("sft", "dpo", "reward", "grpo", "dapo", "dr_grpo"):
    kind, arguments, config = made(algorithm, max_steps=4, batch_size=2, learning_rate=3e-4)
    plain = original(kind)(**{**arguments, **({"padding_free": False} if hasattr(config, "padding_free") else {})})
    told[algorithm] = {
        "subclass": kind is not original(kind) and issubclass(kind, original(kind)),
        "different": sorted(
            field.name
            for field in fields(original(kind))
            if field.init and str(getattr(config, field.name)) != str(getattr(plain, field.name))
        ),
        "room": getattr(config, "max_seq_length", None),
        "values": {name: str(getattr(config, name)) for name in ("learning_rate", "optim", "seed", "weight_decay")},
        "loss": str(getattr(config, "loss_type", "")),
        "beta": getattr(config, "beta", None),
        "masks": getattr(config, "mask_truncated_completions", None),
        "scale": getattr(config, "scale_rewards", None),
    }
print(json.dumps(told))
"""
CHANGED = """
kind, arguments, config = made("grpo")
plain = original(kind)(**arguments)
config.beta = 0.9
try:
    require_same(plain, config, ["beta", "seed"])
except JobError as error:
    print(json.dumps([problem.key for problem in error.problems]))
"""


def script(text, folder):
    told = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, cwd=folder, check=False)
    assert told.returncode == 0, told.stderr[-2000:]
    return told.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    return json.loads(script(BEGIN + CONFIGS, tmp_path_factory.mktemp("configs")))


@pytest.mark.parametrize("algorithm", ["sft", "dpo", "reward", "grpo", "dapo", "dr_grpo"])
def test_every_field_is_what_trl_makes_of_the_job(told, algorithm):
    assert told[algorithm]["subclass"]
    assert set(told[algorithm]["different"]) <= {"gradient_checkpointing_kwargs", "dataset_num_proc"}
    values = told[algorithm]["values"]
    assert values["learning_rate"] == "0.0003"
    assert "adamw_8bit" not in values["optim"].lower()
    assert (values["seed"], values["weight_decay"]) == ("42", "0.0")


def test_lengths_and_losses_are_the_job_s(told):
    assert {told[name]["room"] for name in ("sft", "dpo", "reward")} == {512}
    assert (told["grpo"]["loss"], told["grpo"]["beta"], told["grpo"]["masks"]) == ("grpo", 0.04, False)
    assert (told["dapo"]["loss"], told["dapo"]["beta"], told["dapo"]["masks"]) == ("dapo", 0.0, True)
    assert (told["dr_grpo"]["loss"], told["dr_grpo"]["scale"]) == ("dr_grpo", "none")


def test_a_field_that_comes_back_as_another_one_stops_the_job(tmp_path):
    assert json.loads(script(BEGIN + CHANGED, tmp_path)) == ["backend_args.beta"]
