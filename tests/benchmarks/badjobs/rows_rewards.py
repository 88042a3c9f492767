"""Rewards that are not there, or are none."""

from __future__ import annotations

from badjobs.by_hand import script
from badjobs.folders import classifier, text
from badjobs.jobs import grpo, ppo
from badjobs.row import BadJob, Stage

_NO_PPO = "TRL has no PPO since 1.13."
_NEAREST = f"{_NO_PPO} The nearest it has: GRPO with this model as the reward."


def _reward(body):
    return (text("reward.py", f"def reward(completions, **_):\n    {body}\n"),)


_LATER = """\
calls = 0

def reward(completions, **_):
    global calls
    calls += 1
    if calls > 3:
        {what}
    return [float(len(str(completion)) % 7) for completion in completions]
"""


_PARTLY = """\
def reward(completions, **_):
    return [1.0 if n % 2 else float("nan") for n, _ in enumerate(completions)]

def length(completions, **_):
    return [float(len(str(completion))) for completion in completions]
"""


def _later(what):
    return (text("reward.py", _LATER.format(what=what)),)


ROWS = (
    BadJob(
        "no-reward",
        "GRPO without a reward",
        grpo(reward_functions=None),
        script("GRPO", trainer="reward_funcs=[]"),
        "no-reward",
    ),
    BadJob("no-reward-ppo", "PPO without a reward", ppo(), None, "no-reward", remark=_NO_PPO),
    BadJob(
        "two-rewards",
        "PPO with both a reward model and a reward function",
        ppo(reward_model_name="reward-model", reward_functions=["reward.py:reward"]),
        None,
        "contradiction",
        files=(classifier(1),),
        remark=_NO_PPO,
    ),
    BadJob(
        "reward-model-of-three-labels",
        "PPO with a classifier of three labels as the reward model",
        ppo(reward_model_name="./reward-model"),
        script("GRPO", trainer='reward_funcs="./reward-model"'),
        "reward-model",
        files=(classifier(3),),
        remark=_NEAREST,
    ),
    BadJob(
        "policy-as-reward-model",
        "PPO with a language model as the reward model: its scores would be chance",
        ppo(reward_model_name="./model"),
        script("GRPO", trainer='reward_funcs="./model"'),
        "reward-model",
        remark=_NEAREST,
    ),
    BadJob(
        "reward-misspelt",
        "the built-in reward function is misspelt",
        grpo(reward_functions=["numeric_mtach"]),
        script("GRPO", imports="from trl.rewards import accuracy_rewrad", trainer="reward_funcs=[accuracy_rewrad]"),
        "reward-function",
    ),
    BadJob(
        "reward-not-in-the-file",
        "the file has no function of that name: `reward.py:rewrad`",
        grpo(reward_functions=["reward.py:rewrad"]),
        script("GRPO", imports="from reward import rewrad", trainer="reward_funcs=[rewrad]"),
        "reward-function",
    ),
    BadJob(
        "reward-too-few",
        "the reward function leaves out the last completion",
        grpo(),
        script("GRPO"),
        "reward",
        files=_reward("return [1.0] * (len(completions) - 1)"),
    ),
    BadJob(
        "reward-of-words",
        "the reward function returns words",
        grpo(),
        script("GRPO"),
        "reward",
        files=_reward('return ["good"] * len(completions)'),
    ),
    BadJob(
        "reward-raises",
        "the reward function raises an exception",
        grpo(),
        script("GRPO"),
        "reward",
        files=_reward("return [1 / 0 for _ in completions]"),
    ),
    BadJob(
        "reward-column-missing",
        "the reward function wants a column that the data do not have",
        grpo(),
        script("GRPO"),
        "reward",
        files=(text("reward.py", "def reward(completions, solution, **_):\n    return [1.0 for _ in solution]\n"),),
    ),
    BadJob(
        "reward-nan",
        "the reward function returns NaN for everything",
        grpo(),
        script("GRPO"),
        "reward",
        files=_reward('return [float("nan")] * len(completions)'),
    ),
    BadJob(
        "reward-none",
        "the reward function returns None for everything",
        grpo(),
        script("GRPO"),
        "reward",
        files=_reward("return [None] * len(completions)"),
    ),
    BadJob(
        "reward-partly-nan",
        "one of two reward functions returns NaN for every other completion",
        grpo(reward_functions=["reward.py:reward", "reward.py:length"]),
        script("GRPO", imports="from reward import length, reward", trainer="reward_funcs=[reward, length]"),
        "reward",
        files=(text("reward.py", _PARTLY),),
    ),
    BadJob(
        "reward-nan-later",
        "the reward function returns NaN from its fourth call on",
        grpo(),
        script("GRPO"),
        "reward",
        Stage.TRAINING,
        files=_later('return [float("nan")] * len(completions)'),
    ),
    BadJob(
        "reward-raises-later",
        "the reward function raises an exception at its fourth call",
        grpo(),
        script("GRPO"),
        "reward",
        Stage.TRAINING,
        files=_later('raise TimeoutError("the judge is away")'),
    ),
)
