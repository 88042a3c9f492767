"""Reading a job finds everything that is wrong with it, and says it so that it can be put right."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
from enum import Enum

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aligntune import BackendType
from aligntune_core.check.decide import decide
from aligntune_core.job import LEARNING_RATE_SCHEDULES, Job
from aligntune_core.jobs.read import SYNONYMS, read_job
from aligntune_core.problem import Problem

BASE = {"algorithm": "sft", "model_name": "org/model", "dataset_name": "org/data"}


def problems_of(**keys):
    return read_job({**BASE, **keys})[1]


def only(**keys):
    (problem,) = problems_of(**keys)
    assert problem.key == next(iter(keys))
    return problem


COUNTS = [
    "max_samples", "max_seq_length", "max_steps", "batch_size", "gradient_accumulation_steps", "lora_r",
    "max_completion_length", "logging_steps", "save_steps", "save_total_limit", "eval_steps",
]  # fmt: skip
POSITIVE = ["num_epochs", "learning_rate", "lora_alpha", "temperature"]
FROM_ZERO = ["weight_decay", "max_grad_norm", "beta", "warmup_steps", "seed"]
SHARES = ["warmup_ratio", "lora_dropout"]
NUMBERS = [*COUNTS, *POSITIVE, *FROM_ZERO, *SHARES, "num_generations"]
WHOLE = [*COUNTS, "warmup_steps", "seed", "num_generations"]
FLAGS = ["packing", "gradient_checkpointing", "use_peft", "load_in_4bit", "trust_remote_code"]
TEXTS = [
    "algorithm", "model_name", "backend", "dataset_split", "eval_dataset_split", "reward_model_name", "output_dir"
]  # fmt: skip
OTHERS = [
    "dataset_name", "eval_dataset_name", "column_mapping", "lr_scheduler", "precision", "isolation",
    "lora_target_modules",
    "reward_functions", "resume", "report_to", "backend_args",
    "data_limits",
]  # fmt: skip


def test_these_tests_know_every_key():
    assert sorted([*NUMBERS, *FLAGS, *TEXTS, *OTHERS]) == sorted(Job.model_fields)


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize("value", [True, False, "many", "", [1], {"a": 1}, math.nan, math.inf, object(), 1j, b"x"])
def test_a_number_is_a_number(key, value):
    problem = only(**{key: value})
    assert problem.code == "wrong-type"
    assert f"'{key}' is " in problem.message
    assert "number" in problem.message


@pytest.mark.parametrize("key", [*COUNTS, *POSITIVE])
@pytest.mark.parametrize("value", [0, -1])
def test_what_has_to_be_positive(key, value):
    problem = only(**{key: value})
    assert (problem.code, problem.message) == ("out-of-range", f"'{key}' is {value}, but must be greater than 0.")


@pytest.mark.parametrize("key", [*FROM_ZERO, *SHARES])
def test_what_may_be_zero_may_not_be_less(key):
    assert problems_of(**{key: 0}) == []
    assert only(**{key: -1}).message == f"'{key}' is -1, but must be at least 0."


@pytest.mark.parametrize("key", SHARES)
def test_a_share_is_less_than_one(key):
    assert only(**{key: 1}).message == f"'{key}' is 1, but must be less than 1."


def test_a_group_has_two_completions_or_more():
    assert only(num_generations=1).code == "out-of-range"
    assert problems_of(num_generations=2) == []


@pytest.mark.parametrize("key", WHOLE)
@pytest.mark.parametrize("value", [2.5, "2.5", "1.5e0"])
def test_a_whole_number_is_whole(key, value):
    assert "a whole number is expected" in only(**{key: value}).message


@pytest.mark.parametrize("key", WHOLE)
@pytest.mark.parametrize("value", [2**31, 10**30, 10**5000], ids=["just", "far", "unprintable"])
def test_no_count_is_more_than_an_engine_can_hold(key, value):
    problem = only(**{key: value})
    assert problem.code == "out-of-range"
    assert problem.message.endswith("but must be at most 2147483647.")
    assert len(problem.message) < 200


@pytest.mark.parametrize(
    ("key", "value", "read"),
    [
        ("learning_rate", "2e-5", 2e-5),  # what YAML makes of a number without a point
        ("learning_rate", decimal.Decimal("0.1"), 0.1),
        ("weight_decay", "0.01", 0.01),
        ("num_epochs", 3, 3.0),
        ("max_steps", "1e3", 1000),
        ("batch_size", "8", 8),
        ("batch_size", 8.0, 8),
        ("use_peft", "yes", True),
        ("use_peft", "false", False),
        ("backend", BackendType.TRL, "trl"),
        ("precision", "bf16", "bf16"),
        ("reward_functions", {"length": "2"}, {"length": 2.0}),
    ],
)
def test_numbers_and_flags_may_be_given_as_text(key, value, read):
    job, problems = read_job({**BASE, key: value})
    assert problems == []
    assert getattr(job, key) == read
    assert type(getattr(job, key)) is type(read)


@pytest.mark.parametrize("key", FLAGS)
@pytest.mark.parametrize("value", [2, "maybe", [], 0.5, object()])
def test_a_flag_is_true_or_false(key, value):
    problem = only(**{key: value})
    assert problem.code == "wrong-type"
    assert problem.message.endswith("but true or false is expected.")


@pytest.mark.parametrize("key", TEXTS)
@pytest.mark.parametrize("value", [3, True, ["a"], {}, object(), dt.date(2026, 1, 1)])
def test_a_name_is_text(key, value):
    problem = only(**{key: value})
    assert problem.code == "wrong-type"
    assert "but text is expected" in problem.message


@pytest.mark.parametrize("key", [*TEXTS, "dataset_name", "eval_dataset_name"])
def test_a_name_is_not_empty(key):
    for value in ("", "   ", "\t\n"):
        assert only(**{key: value}).message == f"'{key}' is {value!r}, but it may not be empty."


@pytest.mark.parametrize("key", [*TEXTS, "dataset_name", "eval_dataset_name"])
@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_a_name_can_be_a_name_on_disk(key, value):
    problem = only(**{key: value})
    assert "character that no name can hold" in problem.message
    problem.message.encode()


@pytest.mark.parametrize("value", [3, 0.5, True, object(), b"rows", {"a": [1]}, list, dt.date(2026, 1, 1)])
def test_a_dataset_is_a_name_or_rows(value):
    assert "a name, a path, a datasets.Dataset or a list of rows" in only(dataset_name=value).message


def test_rows_may_be_handed_over():
    rows = [{"text": "a"}]
    assert read_job({**BASE, "dataset_name": rows})[0].dataset_name is rows


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("column_mapping", {1: "a"}, "a mapping from text to text"),
        ("column_mapping", {"a": None}, "a mapping from text to text"),
        ("column_mapping", "query=instruction", "a mapping from text to text"),
        ("lora_target_modules", [3], "text or a list of texts"),
        ("lora_target_modules", {"a": 1}, "text or a list of texts"),
        ("report_to", [None], "text or a list of texts"),
        ("backend_args", {1: 2}, "a mapping whose keys are text"),
        ("backend_args", [1], "a mapping whose keys are text"),
        ("reward_functions", [3], "names of functions, functions, or a mapping from names to weights"),
        ("reward_functions", {"a": "heavy"}, "names of functions, functions, or a mapping from names to weights"),
        ("reward_functions", 3, "names of functions, functions, or a mapping from names to weights"),
        ("resume", 5, "true, false or the path of a checkpoint"),
        ("resume", "", "true, false or the path of a checkpoint"),
        ("resume", ["a"], "true, false or the path of a checkpoint"),
    ],
)
def test_values_with_parts_say_what_the_whole_should_be(key, value, expected):
    problem = only(**{key: value})
    assert problem.message == f"'{key}' is {value!r}, but {expected} is expected."


@pytest.mark.parametrize("key", ["lora_target_modules"])
def test_no_layers_are_not_layers(key):
    assert problems_of(**{key: []})


def test_backend_args_that_hold_themselves_are_refused():
    loop: dict = {}
    loop["again"] = loop
    assert "holds itself" in only(backend_args={"x": loop}).message


class Schedule(Enum):
    COSINE = "cosine"


@pytest.mark.parametrize("value", ["Cosine", "cosin", "COSINE"])
def test_a_choice_that_is_nearly_right_is_suggested(value):
    assert only(lr_scheduler=value).fix == "Did you mean 'cosine'?"


@pytest.mark.parametrize("value", ["x", 3, [], {}, object(), Schedule])
def test_a_choice_that_is_wrong_lists_the_choices(value):
    problem = only(lr_scheduler=value)
    assert problem.code == "not-a-choice"
    assert problem.fix == f"Known: {', '.join(sorted(LEARNING_RATE_SCHEDULES))}."


@pytest.mark.parametrize(
    ("key", "suggested"),
    [
        ("learning_rat", "learning_rate"),
        ("Learning_Rate", "learning_rate"),
        ("learning-rate", "learning_rate"),
        ("learningRate", "learning_rate"),
        ("LR", "learning_rate"),
        ("btach_size", "batch_size"),
        *SYNONYMS.items(),
    ],
)
def test_an_unknown_key_is_refused_with_the_one_that_was_meant(key, suggested):
    problem = only(**{key: 1})
    assert problem.code == "unknown-key"
    assert problem.message == f"a job has no key '{key}'."
    assert problem.fix == f"Did you mean '{suggested}'?"


def test_every_synonym_stands_for_a_key():
    assert set(SYNONYMS.values()) <= set(Job.model_fields)
    assert not set(SYNONYMS) & set(Job.model_fields)


def test_a_key_like_no_other_is_refused_with_where_to_look():
    problem = only(zzz=1)
    assert "aligntune schema" in problem.fix
    assert "backend_args" in problem.fix


@pytest.mark.parametrize("key", [3, None, ("a",), object(), "x" * 10_000])
def test_a_key_that_is_no_word_is_refused_too(key):
    (problem,) = read_job({**BASE, key: 1})[1]
    assert problem.code == "unknown-key"
    assert len(problem.message) < 200


@pytest.mark.parametrize("key", ["algorithm", "model_name", "dataset_name"])
def test_a_required_key_is_missed(key):
    job, (problem,) = read_job({**BASE, key: None})
    assert (problem.code, problem.key) == ("missing-key", key)
    assert problem.message == f"the job has no '{key}'."
    assert problem.fix.startswith(f"Add {key}, ")
    assert getattr(job, key) is None


def test_everything_wrong_is_said_at_once():
    job, problems = read_job({"batch_size": 0, "lr": 1, "model_name": "org/model", "packing": "maybe", "seed": 7})
    assert {(problem.code, problem.key) for problem in problems} == {
        ("out-of-range", "batch_size"),
        ("unknown-key", "lr"),
        ("wrong-type", "packing"),
        ("missing-key", "algorithm"),
        ("missing-key", "dataset_name"),
    }
    assert (job.model_name, job.seed, job.batch_size) == ("org/model", 7, None)


class Hostile:
    """What no message may choke on."""

    def __repr__(self):
        raise RuntimeError("no")

    def __str__(self):
        raise RuntimeError("no")

    def __len__(self):
        raise RuntimeError("no")

    def __bool__(self):
        raise RuntimeError("no")

    def __iter__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize("key", sorted(Job.model_fields))
def test_no_object_breaks_the_reading(key):
    job, problems = read_job({**BASE, key: Hostile()})
    assert isinstance(job, Job)
    if key not in ("dataset_name", "eval_dataset_name"):
        assert [problem.key for problem in problems] == [key]


def test_a_huge_value_makes_a_short_message():
    assert len(only(batch_size="x" * 100_000).message) < 200
    assert len(only(batch_size=list(range(100_000))).message) < 200


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=3) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(sorted(Job.model_fields)) | st.text(max_size=12) | st.integers()


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_mapping_is_a_job_or_problems(values):
    job, problems = read_job(values)
    assert isinstance(job, Job)
    assert all(isinstance(problem, Problem) and problem.message for problem in problems)
    json.dumps(job.to_dict(), allow_nan=False)
    readable = {key: value for key, value in job.to_dict().items() if isinstance(value, str | int | float)}
    assert readable.keys() <= {str(key) for key in values}


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(values=st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_mapping_gets_a_verdict(values, backends):
    known = backends("fake")
    verdict = decide(values, backends=known)
    assert verdict.ok == (not verdict.errors)
    assert not verdict.ok or verdict.backend == "fake"
    json.dumps(verdict.to_dict(), allow_nan=False)
