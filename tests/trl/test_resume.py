"""A run that is stopped and taken up in a new process goes on as if it had not been, to the last bit."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from trl_runs import outcome, resumable, trained, write_letters_model

from aligntune_core.events import CheckpointSaved, Started

PROGRAM = Path(__file__).with_name("trl_runs.py")
RUNS = {
    # name: algorithm, adapters, further settings, the checkpoints that must be there, where the second run goes on
    "sft": ("sft", False, {}, [3, 6, 7], 3),
    "sft between epochs": ("sft", False, {"save_steps": 5}, [5, 7], 5),
    "sft lora": ("sft", True, {}, [3, 6, 7], 6),
    "dpo": ("dpo", False, {}, [3, 6, 7], 3),
    "dpo lora": ("dpo", True, {}, [3, 6, 7], 6),
    "kto": ("kto", False, {}, [3, 6, 7], 6),
    "kto lora": ("kto", True, {}, [3, 6, 7], 3),
    "reward": ("reward", False, {}, [3, 6, 7], 3),
    "reward lora": ("reward", True, {}, [3, 6, 7], 3),
    "grpo": ("grpo", False, {}, [3, 6, 7], 3),
    "grpo in the second epoch": ("grpo", False, {}, [3, 6, 7], 6),
    "grpo lora": ("grpo", True, {}, [3, 6, 7], 6),
    # a save that falls inside a batch of completions is put off to its end
    "grpo twice over": ("grpo", False, {"backend_args": {"num_iterations": 2}}, [4, 6, 7], 4),
    "gspo": ("gspo", False, {"max_steps": 10}, [4, 8, 10], 8),
    "gspo lora": ("gspo", True, {"max_steps": 10}, [4, 8, 10], 4),
    "dapo": ("dapo", False, {}, [3, 6, 7], 3),
    "dapo lora": ("dapo", True, {}, [3, 6, 7], 6),
    "dr_grpo": ("dr_grpo", False, {}, [3, 6, 7], 3),
    "rloo": ("rloo", False, {"save_steps": 5}, [5, 7], 5),
    "rloo lora": ("rloo", True, {}, [3, 6, 7], 3),
    "cispo": ("cispo", False, {}, [3, 6, 7], 6),
    "sapo": ("sapo", False, {}, [3, 6, 7], 6),
    "bnpo": ("bnpo", False, {}, [3, 6, 7], 6),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Every run without a stop, and as one new process goes on with all of them, one after another."""
    folder = tmp_path_factory.mktemp("runs")
    letters = write_letters_model(folder / "letters", dropout=0.1)
    whole, jobs = {}, []
    for name, (algorithm, lora, settings, _, step) in RUNS.items():
        job = {"algorithm": algorithm, "letters": letters, "lora": lora, **settings}
        whole[name] = trained(resumable(folder=folder / name, **job))
        jobs.append({**job, "folder": str(folder / "resumed" / name), "resume": f"{folder / name}/checkpoint-{step}"})
    forgetful = folder / "forgetful"
    shutil.copytree(folder / "sft" / "checkpoint-3", forgetful)
    shutil.copy(folder / "sft" / "checkpoint-6" / "rng_state.pth", forgetful)
    jobs.append({**jobs[0], "resume": str(forgetful)})
    lines = "\n".join(map(json.dumps, jobs))
    done = subprocess.run([sys.executable, str(PROGRAM)], input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    resumed = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"history"')]
    return whole, dict(zip([*RUNS, "forgetful"], resumed, strict=True))


@pytest.mark.parametrize("name", RUNS)
def test_a_resumed_run_is_the_same_to_the_last_bit(name, runs):
    whole, resumed = runs
    expected = json.loads(json.dumps(outcome(whole[name])))
    assert resumed[name]["history"] == expected["history"]
    assert resumed[name]["weights"] == expected["weights"]


@pytest.mark.parametrize("name", RUNS)
def test_checkpoints_fall_where_a_run_can_go_on(name, runs):
    whole, _ = runs
    saved = [event for event in whole[name].events if isinstance(event, CheckpointSaved)]
    assert [event.step for event in saved] == RUNS[name][3]
    assert all(Path(event.path).is_dir() for event in saved)


def test_the_comparison_can_fail(runs):
    whole, resumed = runs
    assert resumed["forgetful"]["weights"] != outcome(whole["sft"])["weights"]


def test_a_resumed_run_says_where_it_begins(runs, tmp_path):
    whole, _ = runs
    folder = whole["sft"].trainer.native.args.output_dir
    letters = str(Path(folder).parent / "letters")
    run = trained(resumable("sft", letters, tmp_path, resume=f"{folder}/checkpoint-6"))
    (started,) = [event for event in run.events if isinstance(event, Started)]
    assert (started.first_step, started.total_steps) == (6, 7)
    assert run.logged("loss") == whole["sft"].logged("loss")[6:]


@pytest.mark.parametrize("algorithm", ["sft", "dpo", "kto", "reward", "grpo", "rloo"])
def test_the_seed_alone_decides_where_adapters_begin(algorithm, letters, tmp_path):
    def beginning(left_over, seed):
        torch.manual_seed(left_over)
        return outcome(resumable(algorithm, letters, tmp_path, lora=True, seed=seed))["weights"]

    assert beginning(1, seed=5) == beginning(2, seed=5)
    assert beginning(1, seed=5) != beginning(1, seed=6)
