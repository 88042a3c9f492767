"""Which of the packages that a backend requires are installed, in versions that it can use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aligntune_core.backends.installed import installed_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


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
