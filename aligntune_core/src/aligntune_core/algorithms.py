"""The algorithms and what each of them needs: one row each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

_Words = TypeVar("_Words", bound=StrEnum)


class Task(StrEnum):
    """What kind of training an algorithm is; a plugin's algorithm may have a task of its own."""

    SFT = "sft"
    PREFERENCE = "preference"
    REWARD = "reward"
    ONLINE_RL = "online_rl"


class DatasetKind(StrEnum):
    """The canonical shape of the rows an algorithm learns from; a plugin may bring kinds of its own with formats."""

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


def word_of(words: type[_Words], word: str, what: str) -> _Words | str:
    """A word of an open vocabulary: the core's own where it is one of them, a plugin's otherwise.

    Args:
        words: The core's own words.
        word: The word.
        what: What it names, for messages.

    Raises:
        ValueError: If it is not spelt as the tables spell names: in lower case, with underscores.
    """
    try:
        return words(word)
    except ValueError:
        pass
    if not isinstance(word, str) or not word.replace("_", "").isalnum() or word != spelling(word):
        raise ValueError(f"{what} is called {word!r}, but names are spelt like {spelling(str(word)) or 'this_one'!r}")
    return word


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A training algorithm.

    Args:
        name: Its name in jobs.
        title: Its name for people.
        task: What kind of training it is; a task that the core does not have is written as text.
        dataset: The rows it learns from; likewise.
        reward: Where its reward comes from.
        source: The paper that defines it.
        aliases: Other spellings that mean it.
        needs: Job keys it can't do without, beyond the model and the dataset.

    Raises:
        ValueError: If a name isn't spelt in lower case with underscores.
    """

    name: str
    title: str
    task: Task | str
    dataset: DatasetKind | str
    source: str
    reward: Reward = Reward.NONE
    aliases: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in (self.name, *self.aliases):
            if name != spelling(name):
                raise ValueError(f"an algorithm is called {name!r}, but names are spelt like {spelling(name)!r}")
        object.__setattr__(self, "task", word_of(Task, self.task, "a task"))
        object.__setattr__(self, "dataset", word_of(DatasetKind, self.dataset, "a kind of dataset"))
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
