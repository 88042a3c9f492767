"""What the Unsloth backend refuses, before anything heavy is imported."""

import subprocess
import sys

import pytest

from aligntune_core import Job
from aligntune_unsloth.capabilities import CAPABILITIES
from aligntune_unsloth.checks import job as checks
from aligntune_unsloth.checks.job import REFUSED, environment_problems, job_problems


@pytest.fixture(autouse=True)
def _one_gpu(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setattr(checks, "cuda_device_count", lambda: 1)


def found(**more):
    settings = {"algorithm": "sft", "model_name": "org/model", "dataset_name": "org/data", "use_peft": True, **more}
    return {(problem.code, problem.key) for problem in job_problems(Job(**settings))}


@pytest.mark.parametrize("algorithm", ["sft", "dpo", "reward", "grpo", "dapo", "dr_grpo", "ppo"])
def test_a_plain_job_is_not_refused(algorithm):
    assert found(algorithm=algorithm) == set()


def refused_values():
    for name, (applies, _) in REFUSED.items():
        yield name, next(value for value in (True, 0.5, "yes") if applies(value))


@pytest.mark.parametrize(("name", "value"), list(refused_values()), ids=str)
def test_what_unsloth_would_change_or_pass_over_is_refused_with_the_reason(name, value):
    problems = [each for each in job_problems(job_with(name, value)) if each.code == "not-settable"]
    (problem,) = [each for each in problems if each.key == f"backend_args.{name}"]
    assert REFUSED[name][1] in problem.message
    assert "backend='trl'" in problem.fix


def job_with(name, value):
    return Job(
        algorithm="sft", model_name="org/model", dataset_name="org/data", use_peft=True, backend_args={name: value}
    )


@pytest.mark.parametrize("name", ["use_liger_kernel", "torch_compile", "padding_free", "assistant_only_loss"])
def test_what_is_off_by_default_may_be_said_to_be_off(name):
    assert ("not-settable", f"backend_args.{name}") not in found(backend_args={name: False})


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"precision": "fp16"}, ("precision", "precision")),
        ({"precision": "fp32"}, ("precision", "precision")),
        ({"load_in_4bit": True, "use_peft": False}, ("contradiction", "load_in_4bit")),
        ({"load_in_4bit": True, "model_name": "org/model-bf16"}, ("contradiction", "load_in_4bit")),
        ({"backend_args": {"lora": {"use_dora": True}}}, ("not-settable", "backend_args.lora.use_dora")),
    ],
)
def test_what_it_could_not_keep_is_refused(more, problem):
    assert problem in found(**more)


def test_a_gguf_file_is_refused(tmp_path):
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    assert ("unsupported-feature", "model_name") in found(model_name=str(file))


@pytest.mark.parametrize("temperature", [12.0, 10.0])
def test_a_temperature_that_its_sampling_refuses_is_refused_before(temperature):
    settings = {"algorithm": "grpo", "reward_functions": ["length"], "temperature": temperature}
    assert ("out-of-range", "temperature") in found(**settings)


def test_one_of_several_processes_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    (problem,) = environment_problems()
    assert (problem.code, problem.key) == ("process-conflict", "backend")


def test_several_gpus_in_sight_are_refused_with_the_way_to_hide_them(monkeypatch):
    monkeypatch.setattr(checks, "cuda_device_count", lambda: 4)
    (problem,) = environment_problems()
    assert "4" in problem.message
    assert "CUDA_VISIBLE_DEVICES=0" in problem.fix


def test_gspo_stays_refused():
    (row,) = [row for row in CAPABILITIES if row.algorithm == "gspo"]
    assert (str(row.support), row.note) == ("unsupported", "GSPO runs on the TRL backend only")


def test_checking_a_job_imports_no_engine():
    code = (
        "import sys\n"
        "from aligntune_core import Job\n"
        "from aligntune_unsloth.plugin import aligntune_check_job\n"
        "aligntune_check_job(Job(algorithm='sft', model_name='org/m', dataset_name='org/d', use_peft=True))\n"
        "print(sorted({'torch', 'transformers', 'trl', 'peft', 'unsloth', 'datasets'} & set(sys.modules)))\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
