"""Whatever is given to the TRL backend for TRL or peft, its check answers with problems, and with all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aligntune_core import Problem
from aligntune_core.check.decide import decide
from aligntune_core.job import Job
from aligntune_core.jobs.read import read_job
from aligntune_trl.plugin import aligntune_check_job
from aligntune_trl.translation.fields import config_fields
from aligntune_trl.translation.recipes import RECIPES

FREELY = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def _a_cpu_in_an_empty_folder(monkeypatch, tmp_path):
    for module in ("aligntune_core.check.decide", "aligntune_trl.checks.environment"):
        monkeypatch.setattr(f"{module}.device", lambda: "cpu")
    monkeypatch.chdir(tmp_path)


def _no(*_):
    raise RuntimeError("no")


Failing = type("Failing", (), dict.fromkeys(("__repr__", "__str__", "__eq__", "__len__", "__bool__"), _no))
SPECIAL = [
    *(10**5000, -(10**5000), 10**400, 2**31, -1, 0, 1, True, float("nan"), float("inf"), 1j, b"x", object(), Failing()),
    *("", "\ud800", "\0", "x" * 5000, "1e400", "inf", "nan", "1e5", "8", "all-linear", "steps", "none", "all", "wandb"),
    *((1, 2), {1: 2}, [[]], {"a": {"b": {}}}, ["wandb", 3], ["all", "x"], [Failing()], {10**5000: 1}, {"\ud800": 1}),
]
fields = sorted(set().union(*(config_fields(recipe.config) | {*recipe.own_args} for recipe in RECIPES.values())))
lora_fields = sorted(config_fields("LoraConfig"))
special = st.integers(0, len(SPECIAL) - 1).map(lambda index: SPECIAL[index])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | special,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)
often = st.sampled_from(["num_generations", "report_to", "max_length", "save_steps", "lr_scheduler_type", "loss_type"])
arguments = st.dictionaries(st.sampled_from(fields) | often | st.text(max_size=5), values, max_size=4)
adapters = st.none() | values | st.dictionaries(st.sampled_from(lora_fields) | st.text(max_size=4), values, max_size=4)
keys = st.fixed_dictionaries(
    {},
    optional={
        "use_peft": st.booleans(),
        "lora_r": st.just(8),
        "packing": st.booleans(),
        "batch_size": st.sampled_from([1, 2**31 - 1]),
        "num_generations": st.sampled_from([2, 2**31 - 1]),
        "warmup_ratio": st.just(0.1),
        "resume": st.sampled_from([True, "x", "a/" * 3000, "~nobody", "x" * 300]),
        "output_dir": st.sampled_from(["out", "a/" * 1900, "~nobody"]),
        "model_name": st.sampled_from(["org/m", "/etc", "~nobody", "a/" * 3000, "x" * 300]),
        "report_to": st.lists(st.text(min_size=1, max_size=4) | st.sampled_from(["wandb", "all", "none"]), max_size=3),
    },
)


def expect_problems(job):
    for problem in aligntune_check_job(job):
        assert isinstance(problem, Problem)
        assert len(problem.message) < 20_000
        str(problem).encode()
        json.dumps(problem.to_dict())


@settings(FREELY, max_examples=150)
@given(algorithm=st.sampled_from(sorted(RECIPES)), given_keys=keys, given_arguments=arguments, lora=adapters)
def test_any_arguments_get_problems_or_none(algorithm, given_keys, given_arguments, lora):
    backend_args = given_arguments if lora is None else {**given_arguments, "lora": lora}
    job, unreadable = read_job(
        {"algorithm": algorithm, "model_name": "m", "dataset_name": "d", **given_keys, "backend_args": backend_args}
    )
    if not {problem.key for problem in unreadable} & {"backend_args", "report_to"}:
        expect_problems(job)


@pytest.mark.parametrize("algorithm", ["sft", "grpo", "dapo", "ppo"])
def test_every_argument_takes_everything_special(algorithm):
    recipe = RECIPES[algorithm]
    for name in {*recipe.own_args, *recipe.keys.values(), "report_to", "seed", "optim", "bf16", "fsdp", "lora"}:
        for value in SPECIAL:
            expect_problems(Job(algorithm=algorithm, model_name="m", dataset_name="d", backend_args={name: value}))


def test_every_setting_of_an_adapter_takes_everything_special():
    for value in SPECIAL:
        lora = {"lora": dict.fromkeys(lora_fields, value)}
        expect_problems(Job(algorithm="sft", model_name="m", dataset_name="d", use_peft=True, backend_args=lora))


# all at once

GOOD = {
    "algorithm": "sft",
    "backend": "trl",
    "model_name": "builtin:tiny",
    "dataset_name": "builtin:instructions",
    "output_dir": "out",
    "use_peft": True,
}
FAULTS = {
    "batch_size": (0, "out-of-range"),
    "lr_scheduler": ("cosin", "not-a-choice"),
    "max_steps": ("many", "wrong-type"),
    "seed": (-1, "out-of-range"),
    "precision": ("fp16", "precision"),
    "load_in_4bit": (True, "precision"),
    "beta": (0.1, "no-effect"),
    "num_generations": (4, "no-effect"),
    "reward_functions": (["numeric_match"], "no-effect"),
    "lr": (1, "unknown-key"),
    "model_name": ("broken-model", "model-broken"),
    "dataset_name": ("nowhere.jsonl", "data"),
    "output_dir": ("a-file", "output-not-writable"),
    "resume": ("nowhere", "checkpoint"),
    "report_to": ("wandbb", "not-a-choice"),
    "backend_args.max_lenght": (8, "unknown-key"),
    "backend_args.output_dir": ("x", "not-settable"),
    "backend_args.do_train": (True, "not-settable"),
    "backend_args.learning_rate": ("1e-4", "wrong-type"),
    "backend_args.optim": ("adamw_torchh", "not-a-choice"),
    "backend_args.weight_decay": (-1, "out-of-range"),
    "backend_args.max_grad_norm": ([1], "wrong-type"),
    "backend_args.num_train_epochs": ("three", "wrong-type"),
    "backend_args.warmup_steps": (-5, "out-of-range"),
    "backend_args.logging_steps": ({}, "wrong-type"),
    "backend_args.save_strategy": ("sometimes", "not-a-choice"),
    "backend_args.max_length": ("long", "wrong-type"),
    "backend_args.dataloader_num_workers": ("2", "wrong-type"),
    "backend_args.neftune_noise_alpha": ("x", "wrong-type"),
    "backend_args.completion_only_loss": ("perhaps", "wrong-type"),
    "backend_args.lora.r": ("8", "wrong-type"),
    "backend_args.lora.lora_dropout": (2, "out-of-range"),
    "backend_args.lora.use_rslor": (True, "unknown-key"),
    "backend_args.lora.use_dora": ("yes", "wrong-type"),
}


def planted_in(job, planted):
    job = dict(job)
    for dotted in planted:
        *outer, last = dotted.split(".")
        target = job
        for part in outer:
            target = target.setdefault(part, {})
        target[last] = FAULTS[dotted][0]
    return job


def write_places():
    Path("broken-model").mkdir(exist_ok=True)
    Path("broken-model/config.json").write_text("{}")
    Path("a-file").touch()


@settings(FREELY, max_examples=60)
@example(planted=frozenset())
@example(planted=frozenset(FAULTS))
@given(planted=st.frozensets(st.sampled_from(sorted(FAULTS))))
def test_every_planted_fault_is_told_and_no_other(planted):
    write_places()
    errors = decide(planted_in(GOOD, planted)).errors
    assert {(problem.code, problem.key) for problem in errors} == {(FAULTS[key][1], key) for key in planted}


@pytest.mark.parametrize("key", FAULTS)
def test_every_fault_is_told_alone(key):
    write_places()
    errors = decide(planted_in(GOOD, [key])).errors
    assert [(problem.code, problem.key) for problem in errors] == [(FAULTS[key][1], key)]


# what this found, one by one


@pytest.mark.parametrize("value", [{1: 2}, [1], "8"])
def test_a_group_s_size_that_is_no_number_is_told(value):
    keys = {"model_name": "m", "dataset_name": "d", "batch_size": 2**31 - 1, "backend_args": {"num_generations": value}}
    (problem,) = aligntune_check_job(Job(algorithm="grpo", **keys))
    assert (problem.code, problem.key) == ("wrong-type", "backend_args.num_generations")


@pytest.mark.parametrize("name", ["seed", "lora", "dynamic_sampling"])
def test_a_number_that_python_cannot_print(name):
    keys = {"model_name": "m", "dataset_name": "d", "use_peft": True, "backend_args": {name: [10**5000]}}
    (problem,) = aligntune_check_job(Job(algorithm="dapo", **keys))
    assert (problem.code, problem.key) == ("wrong-type", f"backend_args.{name}")


@pytest.mark.parametrize(("value", "fix"), [("1e-4", "Write 0.0001, without quotes."), ("inf", ""), ("nan", "")])
def test_a_text_is_offered_as_a_number_only_if_it_is_one(value, fix):
    keys = {"model_name": "m", "dataset_name": "d", "backend_args": {"weight_decay": value}}
    (problem,) = aligntune_check_job(Job(algorithm="sft", **keys))
    assert problem.fix == fix
