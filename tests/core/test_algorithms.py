"""The algorithms, found by every spelling that people use."""

from __future__ import annotations

import dataclasses

import pytest

from aligntune_core.algorithms import ALGORITHMS, Algorithm, DatasetKind, Reward, Task, find_algorithm
from aligntune_core.job import Job

NEEDED = {
    "sft": (Task.SFT, DatasetKind.DEMONSTRATIONS, Reward.NONE),
    "dpo": (Task.PREFERENCE, DatasetKind.PAIRS, Reward.NONE),
    "reward": (Task.REWARD, DatasetKind.PAIRS, Reward.NONE),
    "ppo": (Task.ONLINE_RL, DatasetKind.PROMPTS, Reward.MODEL_OR_FUNCTIONS),
    "grpo": (Task.ONLINE_RL, DatasetKind.PROMPTS, Reward.FUNCTIONS),
    "gspo": (Task.ONLINE_RL, DatasetKind.PROMPTS, Reward.FUNCTIONS),
    "dapo": (Task.ONLINE_RL, DatasetKind.PROMPTS, Reward.FUNCTIONS),
    "dr_grpo": (Task.ONLINE_RL, DatasetKind.PROMPTS, Reward.FUNCTIONS),
}


@pytest.mark.parametrize("name", NEEDED)
def test_what_each_of_the_eight_is_and_needs(name):
    found = find_algorithm(name)
    assert found is not None
    assert (found.task, found.dataset, found.reward) == NEEDED[name]
    assert found.source.startswith("arXiv ")
    assert found.is_online == (found.task is Task.ONLINE_RL)


def test_no_name_means_two_algorithms():
    names = [name for algorithm in ALGORITHMS for name in (algorithm.name, *algorithm.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "spelt", ["dr_grpo", "drgrpo", "dr-grpo", "Dr-GRPO", "DR_GRPO", "Dr. GRPO", " dr grpo ", "DrGRPO"]
)
def test_every_spelling_of_dr_grpo(spelt):
    assert find_algorithm(spelt).name == "dr_grpo"


@pytest.mark.parametrize("spelt", ["", "  ", "grp", "sft2", "none", "?"])
def test_no_other_word_is_an_algorithm(spelt):
    assert find_algorithm(spelt) is None


def test_every_need_is_a_job_key():
    assert {key for algorithm in ALGORITHMS for key in algorithm.needs} <= set(Job.model_fields)


@pytest.mark.parametrize(("name", "aliases"), [("My-Algo", ()), ("a b", ()), ("fine", ("Not-Fine",))])
def test_a_name_that_no_job_could_find_is_refused(name, aliases):
    with pytest.raises(ValueError, match="names are spelt like"):
        Algorithm(name, "", Task.SFT, DatasetKind.PAIRS, "here", aliases=aliases)


def test_values_may_be_given_as_text_and_are_checked():
    made = Algorithm("mine", "Mine", "preference", "pairs", "here", "none")
    assert (made.task, made.dataset, made.reward) == (Task.PREFERENCE, DatasetKind.PAIRS, Reward.NONE)
    with pytest.raises(ValueError, match="often"):
        Algorithm("mine", "Mine", "preference", "pairs", "here", "often")


def test_a_task_and_a_kind_of_rows_of_its_own_are_spelt_like_names():
    made = Algorithm("mine", "Mine", "distillation", "teacher_answers", "here")
    assert (made.task, made.dataset, made.is_online) == ("distillation", "teacher_answers", False)
    with pytest.raises(ValueError, match="a task is called 'Distillation', but names are spelt like 'distillation'"):
        Algorithm("mine", "Mine", "Distillation", "pairs", "here")
    with pytest.raises(ValueError, match="a kind of dataset is called 'own rows'"):
        Algorithm("mine", "Mine", "preference", "own rows", "here")


def test_an_algorithm_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ALGORITHMS[0].name = "other"
