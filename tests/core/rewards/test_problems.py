# ruff: noqa: ARG001, ARG005 - reward functions are given more than they use
import sys
import types

import pytest

from aligntune_core.errors import RewardError
from aligntune_core.problem import Severity
from aligntune_core.rewards import problems, resolve

BOOBY_TRAPPED = """
raise RuntimeError("this file was run")
import re as regular
from os.path import join, split as parted
LIMIT = 5
def score(completions, **columns):
    inner = 1
    def hidden(): pass
async def judge(completions, **columns): ...
if LIMIT:
    other = third = score
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(BOOBY_TRAPPED, encoding="utf-8")
    (tmp_path / "broken.py").write_text("x = 1\ndef score(:\n", encoding="utf-8")
    (tmp_path / "dynamic.py").write_text("globals()['made'] = print\n", encoding="utf-8")
    (tmp_path / "trapped_module.py").write_text(BOOBY_TRAPPED, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)


def score(completions, **columns):
    return [0.0] * len(completions)


@pytest.mark.parametrize(
    "spec",
    [
        None,
        ["numeric_match", "length(target=5)"],
        {"numeric_match": 1.0, "mine.py:score": -2},
        [f"mine.py:{name}" for name in ("score", "other", "third", "regular", "join", "parted", "score.part")],
        ["dynamic.py:made"],
        ["trapped_module:whatever", "trapped_module.below:whatever"],
        ["json.decoder:whatever", "__main__:whatever", "made_by_hand:whatever"],
        [score],
        score,
    ],
)
def test_nothing_is_said_of_what_may_be_right_and_nothing_is_run(spec, monkeypatch):
    monkeypatch.setitem(sys.modules, "made_by_hand", types.ModuleType("made_by_hand"))
    assert problems(spec) == []
    assert "trapped_module" not in sys.modules


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ([], "empty"),
        ({"format": 0, "numeric_match": 0.0}, "weight is 0"),
        (["numeric_mtch"], "Did you mean 'numeric_match'?"),
        (["length"], "a target or a limit"),
        (["length(target=5"], "double quotes"),
        (["soft_overlong(cache=9, max_completion_length=5)"], "cache of 9"),
        (["mein.py:score"], "Did you mean 'mine.py'?"),
        (["mine.py:scores"], "Did you mean 'score'?"),
        (["mine.py:hidden"], "no reward function 'hidden'"),
        (["mine.py:inner"], "no reward function 'inner'"),
        (["mine.py:judge"], "asynchronous"),
        (["broken.py:score"], "(broken.py, line 2)"),
        (["no_such_module:score"], "no module 'no_such_module'"),
        (["dynamic:made", "dynamic:made"], "named twice"),
        ([lambda completions: []], "**columns"),
        ({"numeric_match": float("nan")}, "finite number"),
    ],
)
def test_what_is_known_to_fail_is_one_problem_and_is_refused_at_launch_too(spec, message):
    (problem,) = problems(spec)
    assert message in str(problem)
    assert problem.key == "reward_functions"
    assert problem.severity is Severity.ERROR
    with pytest.raises(RewardError):
        resolve(spec)


def test_all_problems_are_found_at_once():
    spec = {"numeric_mtch": float("inf"), "mein.py:score": 1.0, "length": 0.0, "format": 1.0}
    assert [(problem.code, problem.severity.value) for problem in problems(spec)] == [
        ("reward-function", "error"),
        ("reward-weight", "error"),
        ("reward-function", "error"),
        ("reward-function", "error"),
        ("reward-weight", "warning"),
    ]


def test_the_jobs_completion_length_counts_and_may_be_left_to_the_engine():
    assert problems(["soft_overlong(cache=200)"]) == []
    assert problems(["soft_overlong"], max_completion_length=100) == []
    assert "cache of 200" in problems(["soft_overlong(cache=200)"], max_completion_length=100)[0].message
