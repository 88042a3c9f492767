"""The algorithms that sample their own completions raise the reward, and don't when nothing is updated."""

from functools import cache

import pytest
from trl_runs import EVERY_LAYER, GROUPED, build_online, trained

FROZEN = 1e-12
STEPS = {"gspo": 24, "dapo": 20}
"""GSPO takes four steps with one batch of completions, DAPO leaves out the answers that were cut off."""


def train(algorithm, letters, folder, *, lora=False, learning_rate=None):
    return trained(
        build_online(
            algorithm,
            letters,
            output_dir=str(folder),
            batch_size=2,
            max_steps=STEPS.get(algorithm, 12),
            learning_rate=learning_rate or (3e-2 if lora else 1e-2),
            **(EVERY_LAYER if lora else {}),
        )
    )


def last_rewards(run):
    rewards = run.logged("rewards/share_of_a/mean")
    return sum(rewards[-3:]) / 3


def learnt(run):
    """Whether the mean reward of the last three batches is clearly above that of the random start."""
    return last_rewards(run) > run.logged("rewards/share_of_a/mean")[0] + 0.25


@pytest.fixture(scope="module")
def frozen(letters, tmp_path_factory):
    """The same run without an update, by algorithm, made once."""
    return cache(lambda algorithm: train(algorithm, letters, tmp_path_factory.mktemp(algorithm), learning_rate=FROZEN))


@pytest.mark.parametrize("lora", [False, True], ids=["full", "lora"])
@pytest.mark.parametrize("algorithm", GROUPED)
def test_the_reward_rises(algorithm, lora, letters, frozen, tmp_path):
    run = train(algorithm, letters, tmp_path, lora=lora)
    assert learnt(run)
    assert run.warnings() == []
    assert last_rewards(run) > last_rewards(frozen(algorithm)) + 0.25


@pytest.mark.parametrize("algorithm", GROUPED)
def test_nothing_is_learnt_without_updates(algorithm, frozen):
    run = frozen(algorithm)
    assert not learnt(run)
    assert abs(last_rewards(run) - run.logged("rewards/share_of_a/mean")[0]) < 0.1


def share_of_vowels(completions, **_):
    texts = [completion[0]["content"] for completion in completions]
    return [sum(letter in "aeiou" for letter in text) / max(len(text), 1) for text in texts]


@pytest.mark.parametrize("learning_rate", [1e-2, FROZEN])
def test_the_built_in_model_learns_from_chat_prompts(learning_rate, tmp_path):
    run = build_online(
        "grpo",
        "builtin:tiny",
        dataset_name="builtin:arithmetic",
        reward_functions=[share_of_vowels],
        output_dir=str(tmp_path),
        max_steps=14,
        batch_size=2,
        max_completion_length=4,
        learning_rate=learning_rate,
    )
    rewards = trained(run).logged("rewards/share_of_vowels/mean")
    assert (sum(rewards[-3:]) / 3 > rewards[0] + 0.1) is (learning_rate > FROZEN)
