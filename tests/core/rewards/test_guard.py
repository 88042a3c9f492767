# ruff: noqa: ARG001, ARG005 - reward functions are given more than they use
import asyncio
import decimal
import fractions

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligntune_core.errors import RewardError
from aligntune_core.rewards import guarded, resolve


class Tensor:
    def __init__(self, values):
        self.values = values

    def tolist(self):
        return self.values

    def __float__(self):
        return float(self.values)


def returning(value):
    def mine(prompts, completions, **columns):
        return value

    return mine


def call(function, count=2, **columns):
    completions = ["right", "wrong"][:count]
    return function(prompts=["What is it?"] * count, completions=completions, **columns)


@pytest.mark.parametrize(
    "returned",
    [
        [1, 0.0],
        (True, False),
        Tensor([1.0, 0.0]),
        [Tensor(1.0), Tensor(0.0)],
        [decimal.Decimal(1), fractions.Fraction(0)],
    ],
)
def test_numbers_of_any_make_come_out_as_floats(returned):
    rewards = call(guarded(returning(returned)))
    assert rewards == [1.0, 0.0]
    assert {type(reward) for reward in rewards} == {float}


def test_real_arrays_and_tensors_are_read():
    numpy = pytest.importorskip("numpy", reason="numpy is not installed")
    assert call(guarded(returning(numpy.array([1, 0])))) == [1.0, 0.0]
    assert call(guarded(returning(list(numpy.array([1, 0], dtype="float32"))))) == [1.0, 0.0]
    with pytest.raises(RewardError, match="not a number"):
        call(guarded(returning(numpy.zeros((2, 2)))))


def test_generators_are_read():
    def mine(completions, **columns):
        yield from [1.0, 0.0]

    assert call(guarded(mine)) == [1.0, 0.0]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "returned None for"),
        (float("nan"), "returned NaN for"),
        (float("inf"), "returned inf for"),
        (float("-inf"), "returned -inf for"),
        ("1.0", "returned the text '1.0' for"),
        (b"1", "returned the text"),
        ([1.0], "list, not a number"),
        (1j, "complex, not a number"),
        (10**400, "int, not a number"),
        (object(), "object, not a number"),
    ],
)
def test_a_bad_reward_is_named_with_its_function_prompt_and_completion(value, shown):
    with pytest.raises(RewardError) as caught:
        call(guarded(returning([1.0, value])))
    message = str(caught.value)
    for part in ["'mine'", shown, "the completion 'wrong'", "the prompt 'What is it?'"]:
        assert part in message


def test_a_long_completion_is_shortened():
    with pytest.raises(RewardError) as caught:
        guarded(returning([None]))(prompts=[[{"role": "user", "content": "start" * 999}]], completions=["x" * 9999])
    assert len(str(caught.value)) < 500
    assert "startstart" in str(caught.value)


@pytest.mark.parametrize(
    ("returned", "shown"),
    [
        ([1.0], "1 rewards for 2 completions"),
        ([], "0 rewards for 2 completions"),
        ([1.0] * 3, "3 rewards for 2 completions"),
        (None, "returned None, not a list"),
        (1.0, "returned a float, not a list"),
        ("10", "returned a str, not a list"),
        ({"a": 1, "b": 2}, "returned a dict, not a list"),
        ({1.0, 2.0}, "returned a set, not a list"),
        (Tensor(1.0), "returned a Tensor, not a list"),
    ],
)
def test_anything_but_one_reward_for_each_completion_is_refused(returned, shown):
    with pytest.raises(RewardError, match=shown):
        call(guarded(returning(returned), allow_missing=True))


@pytest.mark.filterwarnings("error")
def test_something_to_await_is_refused():
    async def later():
        await asyncio.sleep(0)

    with pytest.raises(RewardError, match="don't wait"):
        call(guarded(lambda **columns: later()))


def test_no_reward_is_passed_on_and_counted_where_it_is_allowed():
    function = guarded(returning([None, 1.0]), allow_missing=True)
    assert call(function) == [None, 1.0]
    assert call(guarded(returning([float("nan"), 1.0]), allow_missing=True)) == [None, 1.0]
    call(function)
    assert (function.scored, function.missing) == (2, 2)
    with pytest.raises(RewardError, match="returned inf"):
        call(guarded(returning([None, float("inf")]), allow_missing=True))


def test_an_exception_names_the_function_the_line_and_the_columns_and_is_chained():
    def mine(completions, topic, **columns):
        return [len(text) / 0 for text in completions]

    with pytest.raises(RewardError) as caught:
        call(guarded(mine), topic=["a", "b"])
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert "'mine' failed with ZeroDivisionError" in str(caught.value)
    line = mine.__code__.co_firstlineno + 1
    assert f"(test_guard.py, line {line})" in str(caught.value)
    with pytest.raises(RewardError, match=r"'topic'.*It was called with completions, prompts, subject\."):
        call(guarded(mine), subject=["a", "b"])


def test_an_error_of_a_builtin_comes_through_as_it_is():
    (function,) = resolve(["numeric_match"])
    with pytest.raises(RewardError, match="needs the column 'answer'"):
        call(guarded(function), topic=["a", "b"])


def test_the_name_is_kept():
    assert guarded(returning([])).__name__ == "mine"
    assert guarded(resolve(["numeric_match(tolerance=1)"])[0]).__name__ == "numeric_match"


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.lists(st.floats()))


@given(VALUES | st.lists(VALUES, max_size=4), st.booleans())
def test_whatever_is_returned_becomes_finite_rewards_or_an_error(returned, allow_missing):
    try:
        rewards = call(guarded(returning(returned), allow_missing=allow_missing))
    except RewardError:
        return
    assert len(rewards) == 2
    for reward in rewards:
        assert (reward is None and allow_missing) or abs(reward) < float("inf")
