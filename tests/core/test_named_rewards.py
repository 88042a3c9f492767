"""A plugin brings reward functions under names that any job can use; a name that means two things is refused."""

from __future__ import annotations

import json
import sys

import pytest

from aligntune_core import BackendInfo, Capability, NamedReward, RewardError
from aligntune_core.backends.recorded import Recorded, RecordError, from_values, to_values
from aligntune_core.backends.registry import Registry
from aligntune_core.check.ask import check_job
from aligntune_core.check.decide import decide
from aligntune_core.check.named_rewards import named_rewards
from aligntune_core.rewards import resolve

FEATURES = {"full", "cpu"}


@pytest.fixture
def known(backends, fake, module_file):
    module_file(
        "acme_rewards", "def polite(completions, **columns): return [float('please' in c) for c in completions]"
    )

    def make(**brought):
        plugins = [
            fake(name, Capability("grpo", features=FEATURES), rewards=tuple(NamedReward(*each) for each in rewards))
            for name, rewards in {"acme": [("polite", "acme_rewards:polite")], **brought}.items()
        ]
        return backends(*plugins, fake("plain", Capability("grpo", features=FEATURES)))

    return make


def grpo(job, *rewards, **changes):
    return job(algorithm="grpo", reward_functions=list(rewards), **changes)


@pytest.mark.parametrize("backend", ["acme", "plain", "auto"])
def test_a_name_is_found_whoever_trains_the_job(known, job, backend):
    registry = known()
    verdict = decide(grpo(job, "polite", "exact_match", backend=backend), backends=registry)
    assert verdict.ok, verdict.problems
    assert "acme_rewards" not in sys.modules
    polite, exact = resolve(verdict.job.reward_functions, named=named_rewards(verdict.job, registry))
    assert (polite.name, exact.name) == ("polite", "exact_match")
    assert polite(prompts=["?"], completions=["yes, please"]) == [1.0]


def test_a_weight_belongs_to_the_name(known, job):
    registry = known()
    verdict = decide(job(algorithm="grpo", backend="acme", reward_functions={"polite": 0.5}), backends=registry)
    (polite,) = resolve(verdict.job.reward_functions, named=named_rewards(verdict.job, registry))
    assert (polite.name, polite.weight) == ("polite", 0.5)


@pytest.mark.parametrize(
    ("written", "said", "fix"),
    [
        ("pollite", "there is no reward function 'pollite'.", "Did you mean 'polite'?"),
        ("exact_mach", "there is no built-in reward function 'exact_mach'.", "Did you mean 'exact_match'?"),
        ("polite(weight=1)", "'polite' has parameters, which only built-in ones take.", ""),
    ],
)
def test_what_is_wrong_with_a_name_is_told(known, job, written, said, fix):
    (problem,) = decide(grpo(job, written, backend="plain"), backends=known()).errors
    assert (problem.code, problem.key) == ("reward-function", "reward_functions")
    assert said in problem.message
    assert fix in problem.fix


def test_a_module_that_is_not_there_is_told(known, job):
    registry = known(bolt=[("harsh", "no_such_module:harsh")])
    (problem,) = decide(grpo(job, "harsh", backend="plain"), backends=registry).errors
    assert "there is no module 'no_such_module'" in problem.message


def test_two_plugins_with_one_function_under_one_name_are_welcome(known, job):
    registry = known(bolt=[("polite", "acme_rewards:polite")])
    assert decide(grpo(job, "polite", backend="plain"), backends=registry).ok


def test_a_name_that_means_two_things_is_refused_and_only_that(known, job):
    registry = known(bolt=[("polite", "bolt_rewards:polite"), ("nice", "acme_rewards:polite")])
    (problem,) = decide(grpo(job, "polite", backend="plain"), backends=registry).errors
    assert (
        problem.message == "reward function 'polite' may mean several things: 'acme' and 'bolt' bring different ones."
    )
    assert problem.fix == "Name the function itself, e.g. acme_rewards:polite."
    # to its own backend a name is clear, and so is every other name
    assert decide(grpo(job, "polite", backend="acme"), backends=registry).ok
    assert decide(grpo(job, "nice", backend="plain"), backends=registry).ok
    assert decide(grpo(job, "acme_rewards:polite", backend="plain"), backends=registry).ok


def test_a_name_of_the_core_is_the_core_s(known, job):
    registry = known(bolt=[("exact_match", "bolt_rewards:exact")])
    assert decide(grpo(job, "exact_match", backend="plain"), backends=registry).ok
    (problem,) = decide(grpo(job, "exact_match", backend="bolt"), backends=registry).errors
    assert "it is built in, and backend 'bolt' brings another" in problem.message


def test_a_check_tries_the_function_on_the_data(known, job, module_file):
    module_file("odd_rewards", "def odd(completions, **columns): return 'no numbers'")
    registry = known(bolt=[("odd", "odd_rewards:odd")])
    assert check_job(grpo(job, "polite", backend="plain"), backends=registry).ok
    (problem,) = check_job(grpo(job, "odd", backend="plain"), backends=registry).errors
    assert "'odd'" in problem.message


def test_a_job_that_names_no_function_of_others_imports_no_other_plugin(plugin, job):
    source = """
@hookimpl
def aligntune_backend_info():
    return BackendInfo("acme", "", 1, (Capability("grpo", features={"full", "cpu"}),))
"""
    registry = Registry(entry_points=[plugin("acme", after=source), plugin("bolt", before="1 / 0\n")], environ={})
    assert decide(grpo(job, "exact_match", backend="acme"), backends=registry).ok
    assert "bolt" not in registry._backends


@pytest.mark.parametrize(
    ("reward", "said"),
    [
        (("Polite", "a:b"), "a reward is called 'Polite'"),
        (("po lite", "a:b"), "a reward is called 'po lite'"),
        (("polite", "acme_rewards"), "which is not 'package.module:function'"),
        (("polite", "file.py:"), "which is not 'package.module:function'"),
    ],
)
def test_a_reward_is_checked_where_it_is_declared(reward, said):
    with pytest.raises(ValueError, match=said):
        NamedReward(*reward)


def test_two_of_one_name_are_refused_and_other_things_too():
    with pytest.raises(ValueError, match="two of one name: a, a"):
        BackendInfo("acme", "", 1, (), rewards=(NamedReward("a", "m:f"), NamedReward("a", "m:g")))
    with pytest.raises(TypeError, match=r"BackendInfo\.rewards"):
        BackendInfo("acme", "", 1, (), rewards=("a",))


def test_rewards_are_in_what_a_distribution_records():
    recorded = Recorded(BackendInfo("acme", "", 1, (), rewards=(NamedReward("a", "m:f", "what"),)))
    values = json.loads(json.dumps(to_values(recorded)))
    assert from_values(values) == recorded
    values["info"]["rewards"][0]["function"] = "no place"
    with pytest.raises(RecordError, match="which is not 'package"):
        from_values(values)


def test_a_name_that_nobody_brings_stays_unknown(known, job):
    registry = known()
    with pytest.raises(RewardError, match="there is no built-in reward function 'xyzzy'"):
        resolve(["xyzzy"], named={"polite": "acme_rewards:polite"})
    (problem,) = decide(grpo(job, "xyzzy"), backends=registry).errors
    assert problem.code == "reward-function"
