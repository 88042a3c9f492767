"""Trainings in a process of their own: the same numbers to the last digit, and nothing of the engine in this one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

JOBS = {
    "sft": {"dataset_name": "builtin:instructions", "model_name": "builtin:tiny", "max_steps": 3, "batch_size": 2},
    "grpo": {
        "dataset_name": [{"prompt": f"Say {n}", "answer": str(n)} for n in range(4)],
        "model_name": "builtin:tiny",
        "max_steps": 2,
        "num_generations": 2,
        "max_completion_length": 4,
    },
}

PROGRAM = """
import json, sys
from aligntune import create_trainer

calls = []
def score(prompts, completions, answer, trainer_state=None, log_metric=None, **columns):
    calls.append([prompts, completions, answer, trainer_state and trainer_state.global_step])
    if log_metric:
        log_metric("letters", sum(map(len, completions)))
    return [len(completion) / 3 for completion in completions]

told = []
job = {job!r}
if job["algorithm"] == "grpo":
    job["reward_functions"] = [score]
trainer = create_trainer(on_event=lambda event: told.append(event.to_dict()), **job)
result = trainer.train()
trainer.save()
engines = sorted({{"torch", "trl", "transformers", "datasets", "numpy"}} & set(sys.modules))
print(json.dumps(dict(told=told, result=result.to_dict(), calls=calls, engines=engines)))
"""

TIMES = ("runtime", "per_second", "seconds", "step_time", "profiling")


def run(**job):
    code = PROGRAM.format(job=job)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def untimed(value):
    """The same without what a clock says."""
    if isinstance(value, dict):
        return {key: untimed(each) for key, each in value.items() if not any(word in key for word in TIMES)}
    return [untimed(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("algorithm", JOBS)
def test_a_training_is_the_same_to_the_last_digit(algorithm, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job = {"algorithm": algorithm, "backend": "trl", "output_dir": "out", "logging_steps": 1, **JOBS[algorithm]}
    here = run(**job)
    for left in sorted((tmp_path / "out").rglob("*"), reverse=True):
        left.unlink() if left.is_file() else left.rmdir()
    there = run(**job, isolation="process")
    assert there["engines"] == []
    assert "torch" in here["engines"]
    assert untimed(there["told"]) == untimed(here["told"])
    assert untimed(there["result"]) == untimed(here["result"])
    assert there["calls"] == here["calls"]
    assert (
        len([event for event in there["told"] if event["event"] == "Stepped" and event["metrics"]]) == job["max_steps"]
    )
    if algorithm == "grpo":
        again = run(**{**job, "max_steps": 3}, resume=True, isolation="process")
        assert again["result"]["steps"] == 3
        assert next(event for event in again["told"] if event["event"] == "Started")["first_step"] == 2
