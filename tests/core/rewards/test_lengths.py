import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligntune_core.errors import RewardError
from aligntune_core.rewards import Length, SoftOverlong


def words(count):
    return " ".join(["word"] * count)


def scores(reward, *texts):
    return reward(prompts=["?"] * len(texts), completions=list(texts))


def overlong(reward, *lengths):
    return reward(
        prompts=["?"] * len(lengths),
        completions=["text"] * len(lengths),
        completion_ids=[[0] * length for length in lengths],
    )


def test_a_target_is_best_hit_and_missed_in_a_straight_line():
    texts = [words(count) for count in (0, 5, 10, 15, 20, 1000)]
    assert scores(Length(target=10), *texts) == [0.0, 0.5, 1.0, 0.5, 0.0, 0.0]


def test_a_limit_costs_nothing_until_it_is_passed():
    texts = [words(count) for count in (0, 5, 10, 15, 20, 1000)]
    assert scores(Length(limit=10), *texts) == [1.0, 1.0, 1.0, 0.5, 0.0, 0.0]


def test_characters_can_be_counted():
    assert scores(Length(limit=10, unit="characters"), "0123456789", " 0123456789\n", "0123456789abcde") == [1, 1, 0.5]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "a target or a limit"),
        ({"target": 1, "limit": 1}, "not both"),
        ({"target": 0}, "above 0 for 'target', not 0"),
        ({"limit": "10"}, "above 0 for 'limit', not '10'"),
        ({"target": True}, "not True"),
        ({"target": 5, "unit": "tokens"}, "words or characters, not 'tokens'"),
    ],
)
def test_a_length_that_means_nothing_is_refused(parameters, message):
    with pytest.raises(RewardError, match=message):
        Length(**parameters)


@given(st.text(), st.integers(min_value=1, max_value=10**9), st.sampled_from(["words", "characters"]))
def test_a_length_reward_is_between_0_and_1(text, count, unit):
    for reward in (Length(target=count, unit=unit), Length(limit=count, unit=unit)):
        assert 0.0 <= scores(reward, text)[0] <= 1.0


def test_soft_overlong_gives_the_papers_numbers():
    reward = SoftOverlong(max_completion_length=20480)
    assert overlong(reward, 0, 16384, 18432, 20480, 30000) == [0.0, 0.0, -0.5, -1.0, -1.0]
    assert overlong(reward, 16385) == [pytest.approx(-1 / 4096)]


def test_soft_overlong_takes_a_cache_of_its_own():
    assert overlong(SoftOverlong(max_completion_length=100, cache=100), 0, 50, 100) == [0.0, -0.5, -1.0]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "Set max_completion_length in the job"),
        ({"max_completion_length": 10, "cache": 11}, "cache of 11 tokens, more than the 10"),
        ({"max_completion_length": 0}, "above 0"),
        ({"max_completion_length": 10, "cache": 0}, "above 0 for 'cache'"),
    ],
)
def test_soft_overlong_refuses_lengths_that_cant_be(parameters, message):
    with pytest.raises(RewardError, match=message):
        SoftOverlong(**parameters)


def test_soft_overlong_says_that_it_needs_tokens():
    with pytest.raises(RewardError, match="completion_ids"):
        SoftOverlong(max_completion_length=10)(prompts=["?"], completions=["text"])


@given(st.integers(0, 10**4), st.integers(1, 10**4), st.data())
def test_soft_overlong_is_between_minus_1_and_0_and_never_rises_with_length(length, longest, data):
    cache = data.draw(st.none() | st.integers(1, longest))
    reward = SoftOverlong(max_completion_length=longest, cache=cache)
    shorter, longer, at_limit = overlong(reward, length, length + 1, longest)
    assert -1.0 <= longer <= shorter <= 0.0
    assert at_limit == -1.0
