"""What a backend says of itself: the values a plugin declares, and nothing that runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from aligntune_core.algorithms import spelling, word_of

CONTRACT_VERSION = 2
"""The version of the plugin contract that this core speaks. It goes up when a hook, an argument or a value is added,
changed or retired."""

OLDEST_CONTRACT = 1
"""The oldest version that this core speaks too: plugins that were tried with nothing newer than it still work."""


class Support(StrEnum):
    """How far a backend supports an algorithm."""

    FULL = "full"
    EXPERIMENTAL = "experimental"
    UNSUPPORTED = "unsupported"


class Feature(StrEnum):
    """What a job can ask of a backend beyond its algorithm; ``backends.features`` has a row for each.

    A backend may declare features of its own besides, as text; queries find and show them.
    """

    FULL = "full"
    LORA = "lora"
    QLORA = "qlora"
    PACKING = "packing"
    GRADIENT_CHECKPOINTING = "gradient_checkpointing"
    EVALUATION = "evaluation"
    RESUME = "resume"
    GGUF = "gguf"
    CPU = "cpu"
    CUDA = "cuda"
    MULTI_GPU = "multi_gpu"


@dataclass(frozen=True, slots=True)
class Capability:
    """One row of a backend's table: how it supports one algorithm.

    Args:
        algorithm: The algorithm's name.
        support: How far it goes.
        features: What a job with this algorithm may ask for: the core's features, and the backend's own as text.
        note: Why the support is not full; needed for everything but ``full``.

    Raises:
        ValueError: If a row that is not ``full`` has no note, or a name in it is not spelt in lower case with
            underscores.
    """

    algorithm: str
    support: Support = Support.FULL
    features: frozenset[Feature | str] = frozenset()
    note: str = ""

    def __post_init__(self) -> None:
        if self.algorithm != spelling(self.algorithm):
            raise ValueError(f"a capability row is for {self.algorithm!r}; write {spelling(self.algorithm)!r}")
        object.__setattr__(self, "support", Support(self.support))
        object.__setattr__(self, "features", _features(frozenset(self.features)))
        if self.support is not Support.FULL and not self.note:
            raise ValueError(f"the capability row for {self.algorithm!r} is {self.support} and has no note saying why")


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """An engine module that has to be imported before others in the same process."""

    first: str
    before: tuple[str, ...]

    def __post_init__(self) -> None:
        _make_tuple(self, "before", str)


@dataclass(frozen=True, slots=True)
class NamedReward:
    """A reward function that a plugin brings under a name, for ``reward_functions`` of any job.

    Args:
        name: The name, in lower case with underscores.
        function: Where the function is: ``package.module:function``; imported when a job that names it trains.
        meaning: What it rewards, in a few words.

    Raises:
        ValueError: If the name is spelt otherwise, or the function's place is not written so.
    """

    name: str
    function: str
    meaning: str = ""

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.name != spelling(self.name):
            raise ValueError(f"a reward is called {self.name!r}, but names are spelt like 'this_one'")
        module, _, function = self.function.partition(":")
        if not all(part.isidentifier() for part in (*module.split("."), *function.split("."))):
            raise ValueError(
                f"the reward '{self.name}' is at {self.function!r}, which is not 'package.module:function'"
            )


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """What a plugin declares about its backend.

    Args:
        name: The backend's name, the same as its entry point's.
        summary: One line for people.
        contract: The versions of the contract that the plugin works with, as literal numbers: the oldest that it
            needs and the newest that it was tried with, e.g. ``(1, 2)``; one number where they are the same.
        capabilities: One row for each algorithm; a missing row means "not declared".
        requirements: The engine's packages as version ranges (PEP 508), e.g. ``trl>=1.12,<1.17``.
        install: The command that installs what is missing; ``pip install`` of the plugin's distribution if left out.
        import_order: What must be imported before what.
        conflicts: Modules that must not have been imported in the process that runs this backend.
        job_keys: The job keys that the engine honours, beyond those that the core rules itself
            (``aligntune_core.check.rules.CORE_KEYS``): a job that sets another one is refused, also one that a later
            core adds. None if the plugin checks every key itself.
        constraints: The file in the plugin's package that names tested versions of all that the engine needs, for
            pip's ``--constraint``; empty where there is none.
        rewards: The reward functions that the plugin brings, by names of its own.

    Raises:
        TypeError: If something other than a tuple is given where one belongs, a text for instance.
        ValueError: If the contract's versions are no numbers from 1 on, the oldest first.
    """

    name: str
    summary: str
    contract: int | tuple[int, int]
    capabilities: tuple[Capability, ...]
    requirements: tuple[str, ...] = ()
    install: str = ""
    import_order: tuple[ImportOrder, ...] = ()
    conflicts: tuple[str, ...] = ()
    job_keys: frozenset[str] | None = None
    constraints: str = ""
    rewards: tuple[NamedReward, ...] = ()

    def __post_init__(self) -> None:
        _make_tuple(self, "capabilities", Capability)
        _make_tuple(self, "requirements", str)
        _make_tuple(self, "import_order", ImportOrder)
        _make_tuple(self, "conflicts", str)
        _make_tuple(self, "rewards", NamedReward)
        names = [each.name for each in self.rewards]
        if len(set(names)) < len(names):
            raise ValueError(f"BackendInfo.rewards has two of one name: {', '.join(names)}")
        if isinstance(self.job_keys, str):
            raise TypeError(f"BackendInfo.job_keys is {self.job_keys!r:.100}, not a set of names")
        if self.job_keys is not None:
            object.__setattr__(self, "job_keys", frozenset(self.job_keys))
        given: Any = self.contract
        versions = list(given) if isinstance(given, tuple | list) else [given, given]
        if len(versions) != 2 or any(type(each) is not int for each in versions) or not 1 <= versions[0] <= versions[1]:
            raise ValueError(f"BackendInfo.contract is {given!r:.60}, not a version, nor the oldest and the newest one")
        object.__setattr__(self, "contract", versions[0] if versions[0] == versions[1] else tuple(versions))

    @property
    def contracts(self) -> tuple[int, int]:
        """The oldest version of the contract that the plugin needs, and the newest that it was tried with."""
        return self.contract if isinstance(self.contract, tuple) else (self.contract, self.contract)

    def capability(self, algorithm: str) -> Capability:
        """The row for an algorithm; a row that says "not declared" where the backend has none."""
        for row in self.capabilities:
            if row.algorithm == algorithm:
                return row
        return _undeclared(algorithm)


# rows and the features of rows are much the same in all tables, and queries go through all of them


@lru_cache(maxsize=1024)
def _features(words: frozenset[str]) -> frozenset[Feature | str]:
    return frozenset(word_of(Feature, word, "a feature") for word in words)


@lru_cache(maxsize=1024)
def _undeclared(algorithm: str) -> Capability:
    return Capability(algorithm, Support.UNSUPPORTED, note="not declared")


def _make_tuple(owner: object, name: str, kind: type) -> None:
    value: Any = getattr(owner, name)
    if isinstance(value, str) or not all(isinstance(item, kind) for item in value):
        raise TypeError(f"{type(owner).__name__}.{name} is {value!r:.100}, not a tuple of {kind.__name__}")
    object.__setattr__(owner, name, tuple(value))
