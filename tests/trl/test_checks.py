"""What the TRL backend finds wrong with a job before it imports TRL."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from types import ModuleType

import pytest

from aligntune_core.check.decide import decide
from aligntune_core.doctor.look import doctor
from aligntune_core.job import Job
from aligntune_trl.checks import environment
from aligntune_trl.checks import job as checks
from aligntune_trl.checks.environment import process_problems
from aligntune_trl.checks.job import job_problems


@pytest.fixture(autouse=True)
def _clean_process(monkeypatch):
    monkeypatch.delitem(sys.modules, "unsloth", raising=False)


def problems(algorithm="sft", **keys):
    job = Job(**{"algorithm": algorithm, "model_name": "m", "dataset_name": "d", "backend": "trl", **keys})
    return list(job_problems(job))


def only(**keys):
    found = problems(**keys)
    assert len(found) == 1, found
    return found[0]


def test_a_job_that_is_right_has_no_problems():
    assert problems() == []
    assert problems(backend_args={"max_length": 64, "neftune_noise_alpha": 5}) == []
    assert problems(use_peft=True, backend_args={"lora": {"use_rslora": True, "bias": "none"}}) == []


@pytest.mark.parametrize(
    ("name", "suggested"),
    [("max_lenght", "max_length"), ("Max_Length", "max_length"), ("neftune_noise", "neftune_noise_alpha")],
)
def test_a_misspelt_argument_is_refused_with_the_one_that_was_meant(name, suggested):
    problem = only(backend_args={name: 1})
    assert (problem.code, problem.key) == ("unknown-key", f"backend_args.{name}")
    assert problem.message.startswith("SFTConfig of trl 1.")
    assert problem.message.endswith(f" has no '{name}'.")
    assert problem.fix == f"Did you mean '{suggested}'?"


def test_an_argument_like_no_other_is_refused_without_a_list_of_them_all():
    assert only(backend_args={"zzz": 1}).fix == ""


def test_another_trainer_s_argument_is_refused():
    assert only(backend_args={"rpo_alpha": 1}).code == "unknown-key"
    assert only(algorithm="dpo", backend_args={"packing": True}).code == "unknown-key"
    assert problems("dpo", backend_args={"loss_type": ["ipo"]}) == []


@pytest.mark.parametrize(
    ("keys", "name", "key", "value"),
    [
        ({"learning_rate": 1e-4}, "learning_rate", "learning_rate", 1),
        ({"batch_size": 2}, "per_device_train_batch_size", "batch_size", 1),
        ({"max_seq_length": 2}, "max_length", "max_seq_length", 1),
        ({"num_epochs": 2}, "num_train_epochs", "num_epochs", 1),
        ({"warmup_ratio": 0.1}, "warmup_steps", "warmup_ratio", 1),
        ({"precision": "bf16"}, "fp16", "precision", True),
        ({"save_steps": 5}, "save_strategy", "save_steps", "epoch"),
        ({"report_to": "none"}, "report_to", "report_to", "none"),
    ],
)
def test_one_thing_set_twice_is_a_contradiction(keys, name, key, value):
    problem = only(**keys, backend_args={name: value})
    assert (problem.code, problem.key) == ("contradiction", f"backend_args.{name}")
    assert problem.message == f"'backend_args.{name}' and '{key}' set the same thing."
    assert problems(backend_args={name: value}) == []


@pytest.mark.parametrize("name", ["output_dir", "disable_tqdm", "do_train"])
def test_what_aligntune_decides_cannot_be_set(name):
    assert only(backend_args={name: 1}).code == "not-settable"


def test_all_of_them_are_found_at_once():
    found = problems(
        learning_rate=1, backend_args={"max_lenght": 1, "learning_rate": 2, "output_dir": "x", "lora": {"rr": 1}}
    )
    assert {(problem.code, problem.key) for problem in found} == {
        ("unknown-key", "backend_args.max_lenght"),
        ("contradiction", "backend_args.learning_rate"),
        ("not-settable", "backend_args.output_dir"),
        ("no-effect", "backend_args.lora"),
        ("unknown-key", "backend_args.lora.rr"),
    }


@pytest.mark.parametrize("value", [3, "r=8", [1], None])
def test_the_settings_of_peft_are_a_mapping(value):
    problem = only(use_peft=True, backend_args={"lora": value})
    assert (problem.code, problem.key) == ("wrong-type", "backend_args.lora")


def test_a_misspelt_setting_of_peft():
    problem = only(use_peft=True, backend_args={"lora": {"use_rslor": True}})
    assert str(problem) == "peft's LoraConfig has no 'use_rslor'. Did you mean 'use_rslora'?"
    # a field of LoftQConfig, whose class stands in the same file
    assert only(use_peft=True, backend_args={"lora": {"loftq_bits": 4}}).code == "unknown-key"
    assert only(use_peft=True, backend_args={"lora": {3: 4}}).code == "unknown-key"


def test_an_adapter_s_setting_given_twice_is_a_contradiction():
    problem = only(use_peft=True, lora_r=8, backend_args={"lora": {"r": 16}})
    assert (problem.code, problem.key) == ("contradiction", "backend_args.lora.r")
    assert problem.message == "'backend_args.lora.r' and 'lora_r' set the same thing."


def test_the_settings_of_peft_have_no_effect_without_adapters():
    assert only(backend_args={"lora": {"r": 8}}).code == "no-effect"


def test_a_key_that_this_trainer_does_not_have_is_refused_once():
    reward = {"reward_model_name": "org/reward"}
    assert [(each.code, each.key) for each in problems("ppo", num_generations=4, **reward)] == [
        ("no-effect", "num_generations")
    ]
    assert problems("dpo", packing=False) == []
    rows = [{"prompt": "2+2?", "completion": "4"}]
    keys = {"algorithm": "sft", "model_name": "org/m", "dataset_name": rows, "backend": "trl", "beta": 0.1}
    assert [str(each) for each in decide(keys).problems] == ["'beta' has no effect on 'sft'. Leave it out."]


def test_this_project_s_own_trainer_has_arguments_too():
    reward = {"reward_model_name": "org/reward"}
    problem = only(algorithm="ppo", backend_args={"clip_rang": 0.1}, **reward)
    assert str(problem) == "PPOConfig has no 'clip_rang'. Did you mean 'clip_range'?"
    assert problems("ppo", backend_args={"clip_range": 0.1}, **reward) == []


def test_packing_needs_a_length():
    assert only(packing=True, backend_args={"max_length": None}).code == "contradiction"
    assert problems(packing=True) == []


@pytest.mark.parametrize(
    ("release", "device", "refused"),
    [
        ("1.15.0", "cpu", True),
        ("1.15.3", "cpu", True),
        ("1.15.0", "cuda", False),
        ("1.16.0", "cpu", False),
        ("1.14.0", "cpu", False),
    ],
)
def test_trl_1_15_is_refused_on_a_cpu(monkeypatch, release, device, refused):
    monkeypatch.setattr(environment, "installed_version", lambda _package: release)
    monkeypatch.setattr(environment, "device", lambda: device)
    found = [problem for problem in problems() if problem.code == "engine-version"]
    assert bool(found) == refused
    if refused:
        assert f"trl {release} can't train on a CPU" in found[0].message
        assert "pip install" in found[0].fix


def test_what_stops_every_job_is_told_without_a_job(monkeypatch, trl):
    trl.SFTTrainer = trainer_class("UnslothSFTTrainer")
    monkeypatch.setattr(environment, "installed_version", lambda _package: "1.15.0")
    monkeypatch.setattr(environment, "device", lambda: "cpu")
    told = doctor(network=False)
    found = {each.code: each for each in told.findings if each.subject == "trl"}
    assert found["engine-version"].stops == found["process-patched"].stops == ("trl",)
    assert "pip install" in found["engine-version"].fix
    assert "trl" not in told.able


def test_without_the_engine_there_is_nothing_to_compare_with(monkeypatch):
    def version(package):
        raise PackageNotFoundError(package)

    monkeypatch.setattr(checks, "version", version)
    monkeypatch.setattr("aligntune_trl.translation.arguments.version", version)
    monkeypatch.setattr(checks, "config_fields", lambda _config: frozenset())
    assert problems(warmup_ratio=0.1, backend_args={"anything": 1}) == []


def trainer_class(module):
    return type("SFTTrainer", (), {"__module__": module})


@pytest.fixture
def trl(monkeypatch):
    """A module called trl that holds what a test puts into it."""
    module = ModuleType("trl")
    monkeypatch.setitem(sys.modules, "trl", module)
    return module


def test_the_original_classes_are_no_conflict(trl):
    trl.SFTTrainer = trainer_class("trl.trainer.sft_trainer")
    trl.DPOTrainer = "not a class"
    assert list(process_problems()) == []


def test_a_class_from_elsewhere_is_a_conflict_that_is_named(trl):
    trl.SFTTrainer = trainer_class("UnslothSFTTrainer")
    (problem,) = process_problems()
    assert (problem.code, problem.key) == ("process-patched", "backend")
    assert problem.message == (
        "backend 'trl' can't run in this process: trl.SFTTrainer is now from 'UnslothSFTTrainer'."
    )
    assert "fresh process" in problem.fix


def test_a_job_with_a_process_of_its_own_has_no_conflict_with_this_one(trl):
    trl.SFTTrainer = trainer_class("UnslothSFTTrainer")
    assert only().code == "process-patched"
    assert problems(isolation="process") == []


def test_unsloth_in_the_process_is_a_conflict(trl, monkeypatch):
    monkeypatch.setitem(sys.modules, "unsloth", ModuleType("unsloth"))
    (problem,) = process_problems()
    assert "unsloth was imported in it, which rewrites TRL's classes." in problem.message
    trl.SFTTrainer = trainer_class("unsloth_compiled_cache.UnslothSFTTrainer")
    (problem,) = process_problems()
    assert "classes: trl.SFTTrainer is now from 'unsloth_compiled_cache.UnslothSFTTrainer'." in problem.message


@pytest.mark.usefixtures("trl")
def test_a_module_put_in_by_hand_does_not_break_the_check():
    checks.config_fields.cache_clear()
    try:
        assert problems(backend_args={"anything": 1}) == []
    finally:
        checks.config_fields.cache_clear()


def test_checking_imports_no_engine():
    code = """
import sys
from aligntune_core.check.decide import decide
from aligntune_core.doctor.look import doctor
from aligntune_core.job import Job
from aligntune_trl.plugin import aligntune_check_job
job = Job(algorithm="sft", model_name="m", dataset_name="d", warmup_ratio=0.1, backend_args={"max_lenght": 1})
assert [problem.code for problem in aligntune_check_job(job)] == ["unknown-key"]
print(*sorted({"torch", "trl", "transformers", "peft", "datasets", "numpy", "accelerate"} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""
