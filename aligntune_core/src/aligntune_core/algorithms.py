"""The algorithms and what each of them needs: one row each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Task(StrEnum):
    """What kind of training an algorithm is."""

    SFT = "sft"
    PREFERENCE = "preference"
    REWARD = "reward"
    ONLINE_RL = "online_rl"


class DatasetKind(StrEnum):
    """The canonical shape of the rows an algorithm learns from."""

    DEMONSTRATIONS = "demonstrations"
    PAIRS = "pairs"
    PROMPTS = "prompts"
    LABELLED = "labelled"


class Reward(StrEnum):
    """Where an algorithm's reward comes from."""

    NONE = "none"
    FUNCTIONS = "functions"
    MODEL_OR_FUNCTIONS = "model_or_functions"


def spelling(name: str) -> str:
    """A name as the tables spell it: lower case, with underscores."""
    return name.strip().lower().replace("-", "_").replace(" ", "_").replace(".", "")


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A training algorithm.

    Args:
        name: Its name in jobs.
        title: Its name for people.
        task: What kind of training it is.
        dataset: The rows it learns from.
        reward: Where its reward comes from.
        source: The paper that defines it.
        aliases: Other spellings that mean it.
        needs: Job keys it can't do without, beyond the model and the dataset.

    Raises:
        ValueError: If a name isn't spelt in lower case with underscores.
    """

    name: str
    title: str
    task: Task
    dataset: DatasetKind
    source: str
    reward: Reward = Reward.NONE
    aliases: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in (self.name, *self.aliases):
            if name != spelling(name):
                raise ValueError(f"an algorithm is called {name!r}, but names are spelt like {spelling(name)!r}")
        object.__setattr__(self, "task", Task(self.task))
        object.__setattr__(self, "dataset", DatasetKind(self.dataset))
        object.__setattr__(self, "reward", Reward(self.reward))

    @property
    def is_online(self) -> bool:
        """Whether the model writes its own completions while training."""
        return self.task is Task.ONLINE_RL


def _grpo_like(name: str, title: str, source: str, *aliases: str) -> Algorithm:
    return Algorithm(name, title, Task.ONLINE_RL, DatasetKind.PROMPTS, source, Reward.FUNCTIONS, aliases)


ALGORITHMS: tuple[Algorithm, ...] = (
    Algorithm(
        "sft", "Supervised fine-tuning", Task.SFT, DatasetKind.DEMONSTRATIONS, "arXiv 2203.02155, section 3.5, step 1"
    ),
    Algorithm("dpo", "Direct preference optimization", Task.PREFERENCE, DatasetKind.PAIRS, "arXiv 2305.18290"),
    Algorithm(
        "kto",
        "Kahneman-Tversky optimization",
        Task.PREFERENCE,
        DatasetKind.LABELLED,
        "arXiv 2402.01306",
    ),
    Algorithm("reward", "Reward model", Task.REWARD, DatasetKind.PAIRS, "arXiv 2203.02155, section 3.5, equation 1"),
    Algorithm(
        "ppo",
        "Proximal policy optimization",
        Task.ONLINE_RL,
        DatasetKind.PROMPTS,
        "arXiv 1707.06347; for language models arXiv 1909.08593 and 2203.02155",
        Reward.MODEL_OR_FUNCTIONS,
    ),
    _grpo_like("grpo", "Group relative policy optimization", "arXiv 2402.03300"),
    _grpo_like("gspo", "Group sequence policy optimization", "arXiv 2507.18071"),
    _grpo_like("dapo", "Decoupled clip and dynamic sampling policy optimization", "arXiv 2503.14476"),
    _grpo_like("dr_grpo", "GRPO done right", "arXiv 2503.20783", "drgrpo"),
    _grpo_like("rloo", "REINFORCE leave-one-out", "arXiv 2402.14740"),
    _grpo_like("cispo", "Clipped importance sampling policy optimization", "arXiv 2506.13585"),
    _grpo_like("sapo", "Soft adaptive policy optimization", "arXiv 2511.20347"),
    _grpo_like("bnpo", "Batch-normalised policy optimization", "arXiv 2506.02864"),
)


def find_algorithm(name: str, algorithms: tuple[Algorithm, ...] = ALGORITHMS) -> Algorithm | None:
    """The algorithm of that name or alias, however it is capitalised or hyphenated."""
    wanted = spelling(name)
    for algorithm in algorithms:
        if wanted == algorithm.name or wanted in algorithm.aliases:
            return algorithm
    return None
