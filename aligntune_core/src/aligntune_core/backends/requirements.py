"""Which of the packages that a backend requires are installed, in versions that it can use."""

from __future__ import annotations

import operator
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from aligntune_core.backends.installed import installed_version, normalised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def unmet_requirements(requirements: Iterable[str]) -> list[str]:
    """Which of the version ranges nothing installed here satisfies, each with what there is instead.

    Args:
        requirements: PEP 508 requirements, e.g. ``trl>=1.12,<1.17``.
    """
    unmet = []
    for text, name, specifier in _applicable(requirements):
        found = installed_version(name)
        # a range that is none is said whether or not there is something to compare with it
        fits = satisfies(found or "0", specifier, of=text)
        if found is None:
            unmet.append(f"{text} ({name} is not installed)")
        elif not fits:
            unmet.append(f"{text} ({name} {found} is installed)")
    return unmet


@lru_cache(maxsize=1024)
def satisfies(version: str, specifier: str, *, of: str = "") -> bool:
    """Whether a version is in a range, as PEP 440 has it, where pre-releases count as versions.

    Args:
        version: A version.
        specifier: Comparisons with commas between them, e.g. ``>=1.12,<1.17``; empty for any version.
        of: The requirement that it is from, for messages.

    Raises:
        ValueError: If it is no version range.
    """
    # most are numbers and dots alone, and what reads the rest takes longer to import than a query takes
    release = _release(version.partition("+")[0])
    comparisons = [_COMPARISON.fullmatch(each.strip()) for each in specifier.split(",") if each.strip()]
    if release is not None and all(comparisons):
        return all(_COMPARE[each[1]](release, _release(each[2])) for each in comparisons if each)
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except InvalidSpecifier as error:
        raise ValueError(f"'{of or specifier}' is not a version range") from error


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}
_COMPARISON = re.compile(r"(>=|<=|>|<|==|!=)\s*([0-9]+(?:\.[0-9]+)*)")


def _release(text: str) -> tuple[int, ...] | None:
    """The numbers of a version that is nothing else, without the noughts at its end."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)*", text):
        return None
    numbers = [int(part) for part in text.split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def met_requirements(requirements: Iterable[str]) -> list[str]:
    """What is installed of the packages that are required, each with its version.

    Args:
        requirements: PEP 508 requirements.
    """
    names = dict.fromkeys(name for _, name, _ in _applicable(requirements))
    return [f"{name} {installed_version(name)}" for name in names if installed_version(name)]


def required_names(requirements: Iterable[str]) -> list[str]:
    """The distributions that are required, normalised, each once.

    Args:
        requirements: PEP 508 requirements.
    """
    return [*dict.fromkeys(normalised(name) for _, name, _ in _applicable(requirements))]


def _applicable(requirements: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    for text in requirements:
        name, specifier = _plain_requirement(text) or _full_requirement(text)
        if name:
            yield text, name, specifier


@lru_cache(maxsize=1024)
def _plain_requirement(text: str) -> tuple[str, str] | None:
    # most have no marker, and the parser that reads those takes longer to import than the rest of a query
    plain = re.fullmatch(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*([^;\[(@]*)", text)
    return (plain[1], plain[2]) if plain else None


def _full_requirement(text: str) -> tuple[str, str]:
    from packaging.requirements import Requirement

    requirement = Requirement(text)
    applies = requirement.marker is None or requirement.marker.evaluate()
    return (requirement.name, str(requirement.specifier)) if applies else ("", "")
