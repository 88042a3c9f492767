"""All the faults of a job are told at once: whichever are planted together, each of them is in the verdict."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aligntune_core import Capability
from aligntune_core.check.decide import decide

FEATURES = ("full", "lora", "qlora", "packing", "gradient_checkpointing", "evaluation", "resume", "gguf", "cpu", "cuda")
GOOD = {
    "algorithm": "sft",
    "backend": "fake",
    "model_name": "org/model",
    "dataset_name": "org/data",
    "output_dir": "out",
    "use_peft": True,
    "num_epochs": 1,
    "learning_rate": 1e-4,
}

FAULTS = {
    # what a key may be
    "batch_size": (0, "out-of-range"),
    "learning_rate": (-1e-4, "out-of-range"),
    "num_epochs": (float("nan"), "wrong-type"),
    "max_steps": (2.5, "wrong-type"),
    "lr_scheduler": ("cosin", "not-a-choice"),
    "precision": ("fp8", "not-a-choice"),
    "seed": (-1, "out-of-range"),
    "gradient_accumulation_steps": ("many", "wrong-type"),
    "weight_decay": (-0.1, "out-of-range"),
    "max_grad_norm": (True, "wrong-type"),
    "warmup_steps": (2**31, "out-of-range"),
    "warmup_ratio": (1, "out-of-range"),
    "save_steps": (0, "out-of-range"),
    "logging_steps": ([], "wrong-type"),
    "save_total_limit": (10**30, "out-of-range"),
    "report_to": ([None], "wrong-type"),
    "column_mapping": ({1: 2}, "wrong-type"),
    "max_samples": ("1e-3", "wrong-type"),
    "max_seq_length": (0.5, "wrong-type"),
    "packing": ("maybe", "wrong-type"),
    "gradient_checkpointing": (2, "wrong-type"),
    "trust_remote_code": ("perhaps", "wrong-type"),
    "lora_r": (0, "out-of-range"),
    "lora_alpha": (0, "out-of-range"),
    "lora_dropout": (1, "out-of-range"),
    "lora_target_modules": ([], "wrong-type"),
    "load_in_4bit": (True, "precision"),
    "dataset_split": (" ", "wrong-type"),
    "eval_dataset_split": (["test"], "wrong-type"),
    "resume": (5, "wrong-type"),
    "backend_args": ([1], "wrong-type"),
    "lr": (1, "unknown-key"),
    "\ud800": (1, "unknown-key"),
    # what it means on this machine
    "model_name": ("./nowhere", "model-not-found"),
    "dataset_name": ("./nowhere.jsonl", "data"),
    "eval_dataset_name": ("./broken.jsonl", "data"),
    "output_dir": ("a-file", "output-not-writable"),
    "backend": ("fakee", "unknown-backend"),
    "algorithm": ("sfft", "unknown-algorithm"),
}
FOR_THE_ALGORITHM = {
    "num_generations": (4, "no-effect"),
    "max_completion_length": (8, "no-effect"),
    "temperature": (1, "no-effect"),
    "beta": (0.1, "no-effect"),
    "reward_model_name": ("org/reward", "no-effect"),
    "reward_functions": (["numeric_match"], "no-effect"),
}
"""What can be told only of an algorithm that is known."""


@pytest.fixture
def here(backends, fake):
    Path("broken.jsonl").write_text('{"messages": \n')
    Path("a-file").touch()
    return backends(fake("fake", Capability("sft", features=FEATURES)))


def found(changes, here):
    return {(problem.code, problem.key) for problem in decide({**GOOD, **changes}, backends=here).errors}


def expected(planted):
    known = {**FAULTS, **({} if "algorithm" in planted else FOR_THE_ALGORITHM)}
    return {(known[key][1], key) for key in planted if key in known}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(planted=frozenset())
@example(planted=frozenset({*FAULTS, *FOR_THE_ALGORITHM}))
@example(planted=frozenset({*FAULTS, *FOR_THE_ALGORITHM} - {"algorithm"}))
@given(planted=st.frozensets(st.sampled_from([*FAULTS, *FOR_THE_ALGORITHM])))
def test_every_planted_fault_is_told_and_no_other(planted, here):
    changes = {key: {**FAULTS, **FOR_THE_ALGORITHM}[key][0] for key in planted}
    assert found(changes, here) == expected(planted)


@pytest.mark.parametrize("key", [*FAULTS, *FOR_THE_ALGORITHM], ids=ascii)
def test_every_fault_is_told_alone(key, here):
    value, code = {**FAULTS, **FOR_THE_ALGORITHM}[key]
    assert found({key: value}, here) == {(code, key)}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(planted=st.frozensets(st.sampled_from(sorted(set(FAULTS) - {"backend"}))))
def test_the_choice_of_a_backend_hides_no_fault(planted, here):
    changes = {key: FAULTS[key][0] for key in planted}
    assert found({**changes, "backend": "auto"}, here) == expected(planted)


def test_keys_that_are_wrong_together_are_told_together(here):
    together = {
        "use_peft": False,
        "lora_r": 8,
        "warmup_steps": 1,
        "warmup_ratio": 0.1,
        "eval_steps": 5,
        "precision": "fp16",
        "load_in_4bit": True,
    }
    assert found(together, here) == {
        ("no-effect", "lora_r"),
        ("no-effect", "load_in_4bit"),
        ("precision", "load_in_4bit"),
        ("precision", "precision"),
        ("contradiction", "warmup_ratio"),
        ("no-effect", "eval_steps"),
    }
