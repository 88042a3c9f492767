"""Reward functions given in Python, for an engine in another process."""

import json
import threading

import pytest

from aligntune_core.errors import JobError, RewardError
from aligntune_core.events import Notice, Stepped

GRPO = {"algorithm": "grpo", "dataset_name": [{"prompt": "2+2?", "answer": "4"}]}


def lengths(completions, **_):
    return [len(each) + 1 / 3 for each in completions]


def test_a_function_scores_in_this_process_what_the_other_one_sends(made):
    given = []

    def score(prompts, completions, answer, trainer_state, log_metric, **others):
        given.append((prompts, completions, answer, trainer_state.global_step, sorted(others)))
        log_metric("seen")
        return [1 / 3, float(len(given))]

    told = []
    result = made(told, act="score", reward_functions=[score], **GRPO).train()
    assert given[1] == (["p", "p"], ["4", "2"], ["4", "5"], 2, [])
    rewards = [event.metrics["reward"] for event in told if isinstance(event, Stepped)]
    assert rewards == [1 / 3 + 1, 1 / 3 + 2, 1 / 3 + 3]
    assert result.metrics["logged"] == 3.0


def test_functions_called_from_several_threads_meet(made):
    meeting = threading.Barrier(4, timeout=20)

    def score(completions, **_):
        meeting.wait()
        return [float(each) for each in completions]

    told = []
    made(told, act="threads", reward_functions=[score], **GRPO).train()
    scores = next(event for event in told if isinstance(event, Notice))
    assert json.loads(scores.message) == [[number, [float(number)]] for number in range(4)]


class Array:
    def tolist(self):
        return [2.0, 3.0]


class Half:
    def __float__(self):
        return 0.5


@pytest.mark.parametrize(
    ("returned", "total"),
    [((1, 2.5), 3.5), (Array(), 5.0), ([Half(), 1], 1.5), ({1: 0, 2: 0}.keys(), 3), ([True, 2**60], 2.0**60)],
    ids=["tuple", "array", "scalars", "view", "integers"],
)
def test_what_counts_as_rewards_is_the_same(made, returned, total):
    for isolation in (None, "process"):
        told = []
        made(told, act="score", isolation=isolation, reward_functions=[lambda **_: returned], **GRPO).train()
        assert next(event for event in told if isinstance(event, Stepped)).metrics["reward"] == total


def fails(completions, **_):
    raise LookupError(f"nothing for {completions[0]}")


def refuses(**_):
    raise RewardError("no reward today.", fix="Come again.")


def narrow(prompts, completions):
    return [len(prompts), len(completions)]


def leaves(**_):
    raise SystemExit(3)


@pytest.mark.parametrize(
    "function",
    [
        fails, refuses, leaves, lambda **_: None, lambda **_: "12", lambda **_: {"a": 1}, lambda **_: [1.0],
        lambda **_: [float("nan"), 1], lambda **_: [None, 1], lambda **_: ["x", 1], lambda **_: [object, 1],
        lambda **_: [float("inf"), 0], lambda **_: 5, narrow,
    ],
    ids=["raises", "refuses", "exits", "none", "text", "mapping", "few", "nan", "missing", "texts", "odd", "inf",
         "number", "narrow"],
)  # fmt: skip
def test_what_is_wrong_with_a_function_is_told_in_the_same_words(made, function):
    raised = []
    for isolation in (None, "process"):
        with pytest.raises((RewardError, JobError)) as error:
            made(act="score", isolation=isolation, reward_functions=[function], **GRPO).train()
        raised.append(error.value)
    here, there = raised
    # an engine's own object among the columns can't cross
    assert (type(there), str(there), there.code) == (type(here), str(here).replace(" odd,", ""), here.code)
    assert type(there.__cause__) is type(here.__cause__)


def test_what_a_function_raised_is_the_cause_itself(made):
    raised = ZeroDivisionError("mine")

    def score(**_):
        raise raised

    with pytest.raises(RewardError, match=r"'score' failed with ZeroDivisionError: mine \(test_rewards.py") as error:
        made(act="score", reward_functions=[score], **GRPO).train()
    assert error.value.__cause__ is raised
    assert raised.__traceback__ is not None


def test_a_function_by_name_is_called_in_the_other_process(made, tmp_path):
    (tmp_path / "work" / "mine.py").write_text(
        "import os\ndef score(completions, **_):\n    return [float(os.getpid())] * len(completions)\n"
    )
    told = []
    trainer = made(told, act="score", reward_functions=["mine.py:score"], **GRPO)
    trainer.train()
    assert next(event for event in told if isinstance(event, Stepped)).metrics["reward"] == 2.0 * trainer._child.pid


def test_functions_keep_their_names_and_weights(made):
    told = []
    made(told, act="score", reward_functions=[lengths, "numeric_match"], **GRPO).train()
    assert next(event for event in told if isinstance(event, Stepped)).metrics["reward"] == 2 + 2 / 3
