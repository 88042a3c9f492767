"""What is looked out for while a run goes: signs, each sure by itself, that it learns nothing or nothing good."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from aligntune_core.algorithms import ALGORITHMS


@dataclass(frozen=True, slots=True)
class Watcher:
    """One sign in the metrics that are logged, and what is said of it.

    Args:
        name: What other watchers call it.
        algorithms: Whose runs it looks at.
        metric: The metric's name in their logs.
        message: What is said, with ``{steps}`` it has lasted, the ``{value}`` and the ``{step}`` it was seen at last.
        fix: What to do about it.
        reason: Why this bound and this patience.
        least: The least value that is a sign.
        most: The greatest value that is one.
        same: Whether only a value equal to the one before is a sign.
        per: A metric that the value is divided by first.
        steps: Optimiser steps that it must have lasted.
        logs: Logs in a row in which it must have been seen; more than one where a log tells of one step alone, or
            where one step can decide a mean.
        at_once: Whether only the first log of a fresh run counts.
        within: Watchers that say it already, whose signs it is part of.
    """

    name: str
    algorithms: frozenset[str]
    metric: str
    message: str
    fix: str
    reason: str
    least: float = -inf
    most: float = inf
    same: bool = False
    per: str = ""
    steps: int = 1
    logs: int = 1
    at_once: bool = False
    within: tuple[str, ...] = ()


_PPO = frozenset({"ppo"})
_GROUPED = frozenset(algorithm.name for algorithm in ALGORITHMS if algorithm.is_online) - _PPO
_OFFLINE = frozenset(algorithm.name for algorithm in ALGORITHMS if not algorithm.is_online)
_RLOO = frozenset({"rloo"})

_EQUAL_FIX = (
    "Use prompts that are harder or easier for the model, a reward that tells answers apart, a higher temperature or "
    "larger num_generations."
)
_EQUAL_PATIENCE = (
    "one prompt a step that 95 of 100 answers solve gives 8 equal rewards in 0.66 of the steps, but in 20 in a row "
    "once in 4,000"
)
_CUT = "no completion of the last {steps} steps ended by itself: all were cut off at max_completion_length."
_CUT_FIX = "Raise max_completion_length, or check that the model and its chat template end their turns."
_CUT_PATIENCE = "one that ends by itself in 20 steps is enough to show that the length leaves room"
_FAR = (
    "the policy is {value:.3g} nats a token away from the reference model, and has been at least 10 nats away for "
    "{steps} steps."
)
_FAR_FIX = "Lower learning_rate, or raise beta."
_FAR_BOUND = (
    "at 10 nats the reference writes the policy's tokens once in 22,000 times, where a useful policy keeps below 1; "
    "three logs, because a single token can lift one mean"
)
_STILL = "the gradient has been exactly 0 for {steps} steps, so the weights stay as they are."
_STILL_PATIENCE = (
    "a gradient of exactly 0 has no part in learning; three logs, because each tells of its own step alone; GRPO and "
    "its kin meet it by chance, where a step's rewards are equal"
)

WATCHERS: tuple[Watcher, ...] = (
    Watcher(
        name="no-gradient",
        algorithms=_OFFLINE,
        metric="grad_norm",
        message=_STILL,
        fix="Check that the answers are there and that max_seq_length leaves room for them; where the loss fell to 0, "
        "the data is learned and the run can end.",
        reason=_STILL_PATIENCE,
        most=0.0,
        steps=10,
        logs=3,
    ),
    Watcher(
        name="no-gradient",
        algorithms=_PPO,
        metric="grad_norm",
        message=_STILL,
        fix="Use prompts or a reward that tell answers apart, and check that completions are not empty.",
        reason=_STILL_PATIENCE,
        most=0.0,
        steps=10,
        logs=3,
    ),
    Watcher(
        name="no-entropy",
        algorithms=_GROUPED | _PPO,
        metric="entropy",
        message="the policy's entropy is {value:.2g} nats: for {steps} steps it has written nearly the same completion "
        "to a prompt every time, so there is nothing to choose between.",
        fix="Lower learning_rate, raise temperature or beta, and start again from an earlier checkpoint.",
        reason="at 0.001 nats another token than the likeliest is written about once in 10,000 times; models that "
        "answer well keep above 0.01",
        most=1e-3,
        steps=10,
    ),
    Watcher(
        name="equal-rewards",
        algorithms=_GROUPED - _RLOO,
        metric="frac_reward_zero_std",
        message="in the last {steps} steps the completions of every prompt had equal rewards, from which nothing can "
        "be learned.",
        fix=_EQUAL_FIX,
        reason=_EQUAL_PATIENCE,
        least=1.0,
        steps=20,
        within=("no-entropy",),
    ),
    Watcher(
        name="equal-rewards",
        algorithms=_RLOO,
        metric="reward_std",
        message="in the last {steps} steps all completions had equal rewards, from which nothing can be learned.",
        fix=_EQUAL_FIX,
        reason="as above; RLOO's other figure counts its KL penalty too",
        most=1e-6,
        steps=20,
        within=("no-entropy",),
    ),
    Watcher(
        name="equal-rewards",
        algorithms=_PPO,
        metric="reward/std",
        message="in the last {steps} steps all completions had equal rewards, from which nothing can be learned.",
        fix="Use prompts that are harder or easier for the model, a reward that tells answers apart or a higher "
        "temperature.",
        reason="as above; a rollout compares answers to different prompts",
        most=1e-6,
        steps=20,
        within=("no-entropy", "no-gradient"),
    ),
    Watcher(
        name="cut-off",
        algorithms=_GROUPED,
        metric="completions/clipped_ratio",
        message=_CUT,
        fix=_CUT_FIX,
        reason=_CUT_PATIENCE,
        least=1.0,
        steps=20,
    ),
    Watcher(
        name="cut-off",
        algorithms=_PPO,
        metric="completion/eos_share",
        message=_CUT,
        fix=_CUT_FIX,
        reason=_CUT_PATIENCE,
        most=0.0,
        steps=20,
    ),
    Watcher(
        name="far-away",
        algorithms=_GROUPED,
        metric="kl",
        message=_FAR,
        fix=_FAR_FIX,
        reason=_FAR_BOUND,
        least=10.0,
        steps=5,
        logs=3,
    ),
    Watcher(
        name="far-away",
        algorithms=_PPO,
        metric="kl",
        message=_FAR,
        fix=_FAR_FIX,
        reason="as above; PPO logs the sum over a completion",
        least=10.0,
        per="completion/mean_length",
        steps=5,
        logs=3,
    ),
    Watcher(
        name="same-loss",
        algorithms=_OFFLINE,
        metric="loss",
        message="the loss has been the same number, {value:.6g}, for {steps} steps.",
        fix="Raise learning_rate, and check that the dataset's rows differ.",
        reason="batches differ in the last digits even where nothing is learned; ten logs, because older engines round "
        "the loss to four digits",
        same=True,
        steps=20,
        logs=10,
        within=("no-gradient",),
    ),
    Watcher(
        name="no-loss",
        algorithms=frozenset({"sft"}),
        metric="loss",
        message="the loss is {value:.2g} from the beginning: there is no token to learn, or the model knows them all.",
        fix="Check that the answers are there, that they are not part of their prompts, and that max_seq_length leaves "
        "room for them.",
        reason="0.000 as a person reads it, or 0.9995 for each token of text that was not trained on yet, which no "
        "model reaches",
        most=5e-4,
        at_once=True,
    ),
)


def watchers_of(algorithm: str | None) -> tuple[Watcher, ...]:
    """The watchers that look at an algorithm's runs."""
    return tuple(watcher for watcher in WATCHERS if algorithm in watcher.algorithms)
