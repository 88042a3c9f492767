"""What `check` says a run would come to, held against the run itself."""

import json
from pathlib import Path

import pytest
from trl_runs import FEW, GROUPED, build, build_online, resumable, share_of_a

from aligntune import check
from aligntune_core import Started

ROWS = {
    "sft": [{**row, "completion": "ab"} for row in FEW],
    "dpo": [{**row, "chosen": "aa", "rejected": "fe"} for row in FEW],
    "kto": [{**row, "completion": "fea"[n % 2 :], "label": n % 2 == 1} for n, row in enumerate(FEW)],
    "reward": [{**row, "chosen": "aa", "rejected": "fe"} for row in FEW],
}


def planned(algorithm, letters, **job):
    keys = {"algorithm": algorithm, "model_name": letters, "backend": "trl", **job}
    verdict = check(level="data", **keys)
    assert verdict.ok, verdict.problems
    return verdict.examination.plan


@pytest.mark.parametrize("algorithm", [*ROWS, *GROUPED, "ppo"])
@pytest.mark.parametrize("accumulation", [1, 3])
def test_the_steps_are_those_that_are_taken(algorithm, letters, tmp_path, accumulation):
    job = {
        "output_dir": str(tmp_path),
        "batch_size": 2,
        "gradient_accumulation_steps": accumulation,
        "num_epochs": 1,
        "learning_rate": 1e-4,
    }
    online = {"num_generations": 2, "max_completion_length": 4, "reward_functions": [share_of_a]}
    if algorithm in ROWS:
        dataset = ROWS[algorithm]
        run = build(algorithm, letters, dataset, **job)
    else:
        dataset = FEW * 2 if algorithm == "gspo" else FEW
        online = {**online} if algorithm in GROUPED else {k: v for k, v in online.items() if k != "num_generations"}
        job.update(online)
        run = (
            build_online(algorithm, letters, dataset_name=dataset, **job)
            if algorithm in GROUPED
            else build("ppo", letters, dataset, **job)
        )
    plan = planned(algorithm, letters, dataset_name=dataset, **job)
    run.trainer.train()
    started = next(event for event in run.events if isinstance(event, Started))
    assert plan.steps == started.total_steps
    assert plan.effective_batch == 2 * accumulation


@pytest.mark.parametrize(("algorithm", "lora"), [("sft", False), ("sft", True), ("ppo", False)])
def test_the_checkpoints_are_as_many_and_as_large_as_said(algorithm, lora, tmp_path):
    job = {"batch_size": 8, "max_steps": 5, "save_steps": 2, "output_dir": str(tmp_path / "out"), "use_peft": lora}
    dataset = "builtin:instructions"
    if lora:
        job |= {"lora_target_modules": ["q_proj", "v_proj"]}
    if algorithm == "ppo":
        dataset = "builtin:arithmetic"
        job |= {"reward_functions": ["length(target=2)"], "max_completion_length": 4}
    run = build(algorithm, "builtin:tiny", dataset, **job)
    plan = planned(algorithm, "builtin:tiny", dataset_name=dataset, **job)
    run.trainer.train()
    folders = list(Path(job["output_dir"]).glob("checkpoint-*"))
    assert plan.checkpoints == len(folders)
    held = sum(
        file.stat().st_size
        for file in folders[0].rglob("*")
        if file.suffix in {".safetensors", ".pt"} and not file.name.startswith(("rng", "sched"))
    )
    # of small adapters a good part is the files' own
    assert held == pytest.approx(plan.checkpoint_bytes, rel=0.4 if lora else 0.1)


def test_the_settings_are_those_that_the_engine_gets(letters, tmp_path):
    run = resumable("gspo", letters, tmp_path)
    plan = planned(
        "gspo",
        letters,
        dataset_name=FEW,
        batch_size=2,
        gradient_accumulation_steps=2,
        num_generations=4,
        max_steps=7,
        save_steps=3,
        reward_functions=[share_of_a],
        output_dir=str(tmp_path / "other"),
    )
    config = run.trainer.native.args
    for name in ("per_device_train_batch_size", "steps_per_generation", "epsilon", "loss_type", "beta"):
        assert plan.settings[name] == getattr(config, name), name
    assert plan.least_rows == config.generation_batch_size // config.num_generations
    assert json.dumps(plan.to_dict())


@pytest.mark.parametrize(
    "arguments", [{"generation_batch_size": 8}, {"steps_per_generation": 2}, {"num_iterations": 2}]
)
def test_checkpoints_fall_between_batches_of_completions(arguments, letters, tmp_path):
    job = {
        "num_epochs": 1,
        "batch_size": 2,
        "num_generations": 2,
        "max_completion_length": 4,
        "save_steps": 1,
        "reward_functions": [share_of_a],
        "output_dir": str(tmp_path / "out"),
        "backend_args": arguments,
    }
    run = build_online("grpo", letters, dataset_name=FEW, **job)
    plan = planned("grpo", letters, dataset_name=FEW, **job)
    assert run.trainer.train().steps == plan.steps
    assert len(list((tmp_path / "out").glob("checkpoint-*"))) == plan.checkpoints


@pytest.mark.parametrize("algorithm", ["sft", "ppo"])
def test_rows_that_fill_no_batch_are_dropped_in_the_count_too(algorithm, letters, tmp_path):
    rows = ROWS["sft"][:7]
    job = {
        "batch_size": 2,
        "gradient_accumulation_steps": 2,
        "num_epochs": 1,
        "output_dir": str(tmp_path),
        "backend_args": {"dataloader_drop_last": True},
    }
    if algorithm == "ppo":
        job |= {"max_completion_length": 4, "reward_functions": [share_of_a]}
    run = build(algorithm, letters, rows, **job)
    assert run.trainer.train().steps == planned(algorithm, letters, dataset_name=rows, **job).steps
    few = check(
        algorithm="sft",
        model_name=letters,
        backend="trl",
        dataset_name=rows[:1],
        batch_size=2,
        backend_args=job["backend_args"],
    )
    assert [problem.code for problem in few.errors] == ["too-few-rows"]
