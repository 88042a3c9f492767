"""Whatever a caller hands over, there is a verdict or an error of ours, and it can be read and written as JSON."""

from __future__ import annotations

import collections
import json
import sys
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import aligntune
from aligntune_core import AlignTuneError, Capability, Trainer
from aligntune_core.algorithms import ALGORITHMS
from aligntune_core.check.decide import decide
from aligntune_core.cli.screens.verdict import verdict_lines
from aligntune_core.console.ink import Ink
from aligntune_core.job import Job
from aligntune_core.jobs.read import read_job
from aligntune_core.rewards import problems as reward_problems

FEATURES = (
    *("full", "lora", "qlora", "packing", "gradient_checkpointing"),
    *("evaluation", "resume", "gguf", "cpu", "cuda"),
)
GOOD = {"algorithm": "sft", "model_name": "org/model", "dataset_name": "org/data", "output_dir": "out"}
FREELY = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def here(monkeypatch, backends, fake):
    """A backend that trains everything in every way is the only one that there is."""
    known = backends(fake("fake", *(Capability(algorithm.name, features=FEATURES) for algorithm in ALGORITHMS)))
    for module in ("check.ask", "check.decide", "run.launch"):
        monkeypatch.setattr(f"aligntune_core.{module}.registry", lambda: known)
    return known


def _no(*_, **__):
    raise RuntimeError("no")


def failing(*names):
    """An object whose methods of these names fail."""
    return type("Failing", (), dict.fromkeys(names, _no))()


METHODS = [
    *("__repr__", "__str__", "__eq__", "__len__", "__iter__", "__bool__", "__getattr__", "__getitem__"),
    *("__call__", "__float__", "__int__", "__index__", "__fspath__", "__contains__"),
]


class FailingList(list):
    __len__ = __iter__ = _no


class FailingDict(dict):
    keys = items = __iter__ = _no


SPECIAL = [
    *(10**5000, -(10**5000), 10**400, float("nan"), float("inf"), 1j, b"x", range(3), type, sys, FailingList([1])),
    *("", " ", "\0", "a\0b", "\ud800", "x" * 5000, "a/" * 3000, "~nobody_here/x", "~nobody", "/etc", "/etc/passwd"),
    *("builtin:", "builtin:tiny", "builtin:instructions", "x.gguf", "x.json", "x" * 300 + ".json", FailingDict(a=1)),
    *("~nobody_here/x.py:f", "x" * 300 + ".py:f", "a\0b.py:f", "json:dumps", "__main__:f", "a.b.c:d", len, dict),
    *("format(pattern='(')", "format(pattern='a{99999999999999999999}')", f"format(pattern='{'(' * 500}')"),
    *(f"length(target=-0x{'f' * 5000})", f"numeric_match(tolerance=0x{'f' * 4000})", "soft_overlong", lambda **_: 1),
]


def once(values):
    return (value for value in values)


def dictionary(pairs):
    made = {}
    for key, value in pairs:
        try:
            made[key] = value
        except (TypeError, RuntimeError):  # it has no hash
            continue
    return made


# by their index, since hypothesis shows what it chooses from, and these can't be shown
special = st.integers(0, len(SPECIAL) - 1).map(lambda index: SPECIAL[index])
scalars = (st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=3) | st.dates()) | (
    special | st.lists(st.sampled_from(METHODS), min_size=1, unique=True).map(lambda names: failing(*names))
)
names = st.sampled_from(sorted(Job.model_fields))
odd_keys = st.text(max_size=5) | st.integers() | st.none() | special | st.tuples(st.integers())
values = st.lists(st.text(max_size=3)).map(once) | st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.lists(st.tuples(odd_keys, inner), max_size=3).map(dictionary)
        | st.sets(st.integers() | st.text(), max_size=3)
        | st.lists(inner, max_size=2).map(collections.deque)
        | st.dictionaries(st.text(), inner, max_size=2).map(collections.UserDict)
    ),
    max_leaves=8,
)
algorithms = st.sampled_from([algorithm.name for algorithm in ALGORITHMS])


def expect_readable(verdict):
    for problem in verdict.problems:
        assert problem.message
        str(problem).encode()
    json.dumps(verdict.to_dict(), allow_nan=False)
    assert "\n".join(verdict_lines(verdict, Ink(sys.stdout)))


@pytest.mark.usefixtures("here")
@settings(FREELY, max_examples=150)
@given(algorithm=algorithms, keys=st.dictionaries(names | st.text(max_size=6), values, max_size=4))
def test_any_values_get_a_verdict(algorithm, keys):
    expect_readable(aligntune.check(**{**GOOD, "algorithm": algorithm, **keys}))


@pytest.mark.usefixtures("here")
@settings(FREELY, max_examples=100)
@given(algorithm=algorithms, keys=st.dictionaries(names, values, max_size=3))
def test_any_values_get_a_trainer_or_an_error(algorithm, keys):
    try:
        trainer = aligntune.create_trainer(on_event=str, **{**GOOD, "algorithm": algorithm, **keys})
    except AlignTuneError as error:
        str(error).encode()
        json.dumps(error.to_dict(), allow_nan=False)
    else:
        assert isinstance(trainer, Trainer)


@settings(FREELY, max_examples=150)
@given(pairs=st.lists(st.tuples(names | odd_keys, values), max_size=5))
def test_any_keys_get_a_verdict(pairs, here):
    verdict = decide(dictionary(pairs), backends=here)
    assert verdict.errors
    expect_readable(verdict)


@pytest.mark.parametrize("name", sorted(Job.model_fields))
@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [value], lambda value: {"a": [value]}])
def test_every_key_takes_everything_special(name, wrap, here):
    for value in [*SPECIAL, *map(failing, METHODS), failing(*METHODS), partial(failing, "__repr__")]:
        expect_readable(decide({**GOOD, name: wrap(value)}, backends=here))


# what this found, one by one


def test_a_list_that_can_be_read_once_is_refused_whatever_else_is_wrong():
    _, problems = read_job({**GOOD, "lora_target_modules": iter(["q_proj"]), "seed": -1})
    assert [(problem.code, problem.key) for problem in problems] == [
        ("wrong-type", "lora_target_modules"),
        ("out-of-range", "seed"),
    ]
    assert "it can be read only once: give a list" in problems[0].message


def test_a_key_that_no_name_can_be_hides_no_other_problem():
    _, problems = read_job({**GOOD, "\ud800": 1, 10**5000: 2, failing("__repr__", "__str__"): 3, "seed": -1})
    assert sorted(problem.code for problem in problems) == ["out-of-range", "unknown-key", "unknown-key", "unknown-key"]
    assert all(str(problem).encode() for problem in problems)


@pytest.mark.parametrize("method", ["__len__", "__getattr__", "__fspath__"])
@pytest.mark.parametrize("key", ["dataset_name", "model_name"])
def test_an_object_that_fails_when_it_is_looked_at(key, method, here):
    verdict = decide({**GOOD, key: failing(method, "__iter__")}, backends=here)
    json.dumps(verdict.to_dict())
    assert method == "__len__" or [problem.key for problem in verdict.errors] == [key]


def test_an_output_folder_of_a_path_too_long(here):
    (problem,) = decide({**GOOD, "output_dir": "a/" * 20_000}, backends=here).errors
    assert (problem.code, problem.key) == ("output-not-writable", "output_dir")
    assert problem.message == "'output_dir' is a path of 39999 bytes, and 4000 are possible."


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("~nobody_here/x.py:f", "the reward functions' file '~nobody_here/x.py' can't be read"),
        ("x" * 300 + ".py:f", "File name too long"),
        ("format(pattern='a{99999999999999999999}')", "can't read the pattern 'a{99999999999999999999}'"),
        (f"format(pattern='{'(' * 500}')", "can't read the pattern"),
        (f"exact_match(column=0x{'f' * 5000})", "needs a text for 'column', not of type int"),
        (f"exact_match(ignore_case=0x{'f' * 5000})", "needs True or False for 'ignore_case', not of type int"),
        (f"numeric_match(tolerance=-0x{'f' * 5000})", "a finite number from 0 up for 'tolerance', not of type int"),
        (f"length(limit=3, unit=0x{'f' * 5000})", "counts words or characters, not of type int"),
        ({"exact_match": 10**5000}, "the weight of reward function 'exact_match' is of type int"),
        (f"length(target=-0x{'f' * 5000})", "needs a whole number above 0 for 'target', not"),
    ],
)
def test_a_reward_function_that_can_be_none(spec, told):
    (problem,) = reward_problems(spec)
    assert told in problem.message
    assert len(problem.message) < 400


@pytest.mark.parametrize("method", ["__eq__", "__getattr__"])
def test_functions_that_fail_when_they_are_looked_at(method):
    assert reward_problems([failing(method, "__call__"), failing(method, "__call__")]) == []
