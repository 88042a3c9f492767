"""A job is an immutable value, and describes itself for editors and records."""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path

import pytest
from pydantic import ValidationError

from aligntune_core.job import Job


def make(**keys):
    return Job(**{"algorithm": "sft", "model_name": "org/model", "dataset_name": "org/data", **keys})


def test_a_job_cannot_be_changed():
    job = make(batch_size=2)
    with pytest.raises(ValidationError):
        job.batch_size = 3
    with pytest.raises(ValidationError):
        del job.batch_size
    assert job.batch_size == 2


def test_a_job_does_not_change_with_the_values_it_was_made_from():
    inner, mapping = {"a": [1]}, {"q": "instruction"}
    job = make(backend_args={"outer": inner}, column_mapping=mapping)
    inner["a"].append(2)
    mapping["r"] = "output"
    assert job.backend_args == {"outer": {"a": [1]}}
    assert job.column_mapping == {"q": "instruction"}


def test_objects_in_backend_args_are_kept_as_they_are():
    thing = object()
    assert make(backend_args={"callbacks": [thing]}).backend_args["callbacks"][0] is thing


def test_what_was_left_alone_is_not_set():
    job = make(batch_size=None, seed=0, use_peft=False)
    assert not job.is_set("batch_size")
    assert not job.is_set("output_dir")
    assert job.is_set("seed")
    assert set(job.settings()) == {"algorithm", "model_name", "dataset_name", "seed", "use_peft"}


@pytest.mark.parametrize("key", ["model_name", "dataset_name", "output_dir", "eval_dataset_name", "resume"])
def test_paths_are_as_good_as_text(key):
    value = getattr(make(**{key: Path("some") / "folder"}), key)
    assert value == "some/folder"
    assert type(value) is str


def test_one_value_stands_for_a_list_of_one():
    job = make(lora_target_modules="q_proj", report_to="wandb", reward_functions="length")
    assert job.lora_target_modules == ["q_proj"]
    assert job.report_to == ["wandb"]
    assert job.reward_functions == ["length"]


class Rows(list):
    def __len__(self):
        return 1000


def a_reward(completions):
    return [0.0 for _ in completions]


def looped():
    value: list = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("dataset_name", Rows(), "<Rows of 1000 rows>"),
        ("dataset_name", looped(), None),
        ("reward_functions", [a_reward], [f"{__name__}:a_reward"]),
        ("reward_functions", [functools.partial(a_reward)], ["<partial>"]),
        ("backend_args", {"x": math.nan, "y": math.inf}, {"x": "nan", "y": "inf"}),
        ("backend_args", {"x": 10**5000}, {"x": "<int>"}),
        ("backend_args", {"x": object()}, {"x": "<object>"}),
        ("backend_args", {"x": ("a", {"b": 1})}, {"x": ["a", {"b": 1}]}),
        ("learning_rate", "2e-5", 2e-5),
    ],
)
def test_every_job_can_be_written_as_json(key, value, told):
    written = make(**{key: value}).to_dict()
    assert json.loads(json.dumps(written, allow_nan=False)) == written
    assert told is None or written[key] == told


def test_a_plain_job_survives_being_written_as_json():
    job = make(batch_size=4, learning_rate=5e-5, backend_args={"a": {"b": [1, None, True]}}, resume="out/checkpoint-5")
    assert Job(**json.loads(json.dumps(job.to_dict()))) == job


def test_the_schema_describes_every_key():
    schema = Job.model_json_schema()
    assert set(schema["properties"]) == set(Job.model_fields)
    assert all(described.get("description") for described in schema["properties"].values())
    assert set(schema["required"]) == {"algorithm", "model_name", "dataset_name"}
    assert schema["additionalProperties"] is False
    json.dumps(schema)
