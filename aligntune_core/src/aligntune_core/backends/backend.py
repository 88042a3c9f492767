"""What is known of each backend here and now, and which backends the project itself has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from aligntune_core.backends.installed import installed_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aligntune_core.backends.standing import Standing
    from aligntune_core.capabilities import BackendInfo


class Status(StrEnum):
    """Whether a backend can be used here."""

    READY = "ready"
    MISSING = "missing"
    BROKEN = "broken"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Backend:
    """One backend as it stands in this environment.

    Args:
        name: Its name.
        status: Whether it can be used: ``missing`` when it or a package it needs is not installed in a version it
            can use, ``broken`` when its plugin fails or breaks the contract, ``disabled`` by the user's settings.
        version: The version of its distribution, empty when not installed.
        reason: Why it can't be used, or what is wrong with it; empty when all is well.
        install: The command that would make it usable, where there is one.
        info: What its plugin declares, where that could be read.
        plugin: The plugin itself.
        cause: The exception behind a ``broken`` status.
        origin: Where its plugin comes from: a distribution with its version, or this process; empty when not installed.
    """

    name: str
    status: Status
    version: str = ""
    reason: str = ""
    install: str = ""
    info: BackendInfo | None = None
    plugin: Any = None
    cause: BaseException | None = None
    origin: str = ""

    @property
    def ready(self) -> bool:
        """Whether it can be used."""
        return self.status is Status.READY

    @property
    def standing(self) -> tuple[Standing, ...]:
        """What it needs to be usable here, one after the other: whether each is there, and why."""
        from aligntune_core.backends.standing import standing_of

        return standing_of(self)

    def to_dict(self) -> dict[str, Any]:
        """How the backend stands here, as JSON-ready values."""
        return {
            "status": str(self.status),
            "version": self.version,
            "reason": self.reason,
            "install": self.install,
            "standing": {each.question: {"yes": each.yes, "reason": each.reason} for each in self.standing},
        }


@dataclass(frozen=True, slots=True)
class KnownBackend:
    """A backend of this project: its distribution owns the name."""

    distribution: str
    install: str


KNOWN_BACKENDS = {
    "trl": KnownBackend("aligntune-trl", 'pip install "aligntune[trl]>=1.0"'),
    "unsloth": KnownBackend("aligntune-unsloth", 'pip install "aligntune[unsloth]>=1.0"'),
}

AUTO_ORDER = ("trl", "unsloth")
"""The order in which ``backend="auto"`` prefers backends; others follow by name."""


def by_preference(names: Iterable[str]) -> list[str]:
    """Backend names in the order in which ``backend="auto"`` prefers them."""
    rank = {name: index for index, name in enumerate(AUTO_ORDER)}
    return sorted(names, key=lambda name: (rank.get(name, len(rank)), name))


def unmet_requirements(requirements: Iterable[str]) -> list[str]:
    """Which of the version ranges nothing installed here satisfies, each with what there is instead.

    Args:
        requirements: PEP 508 requirements, e.g. ``trl>=1.12,<1.17``.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    unmet = []
    for text, name, specifier in _applicable(requirements):
        try:
            wanted = SpecifierSet(specifier)
        except InvalidSpecifier as error:
            raise ValueError(f"'{text}' is not a version range") from error
        found = installed_version(name)
        if found is None:
            unmet.append(f"{text} ({name} is not installed)")
        elif not wanted.contains(found, prereleases=True):
            unmet.append(f"{text} ({name} {found} is installed)")
    return unmet


def met_requirements(requirements: Iterable[str]) -> list[str]:
    """What is installed of the packages that are required, each with its version.

    Args:
        requirements: PEP 508 requirements.
    """
    names = dict.fromkeys(name for _, name, _ in _applicable(requirements))
    return [f"{name} {installed_version(name)}" for name in names if installed_version(name)]


def _applicable(requirements: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    for text in requirements:
        name, specifier = _plain_requirement(text) or _full_requirement(text)
        if name:
            yield text, name, specifier


def _plain_requirement(text: str) -> tuple[str, str] | None:
    # most have no marker, and the parser that reads those takes longer to import than the rest of a query
    plain = re.fullmatch(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*([^;\[(@]*)", text)
    return (plain[1], plain[2]) if plain else None


def _full_requirement(text: str) -> tuple[str, str]:
    from packaging.requirements import Requirement

    requirement = Requirement(text)
    applies = requirement.marker is None or requirement.marker.evaluate()
    return (requirement.name, str(requirement.specifier)) if applies else ("", "")
