"""Whether the installed distributions that engines need agree with each other, as ``pip check`` asks it of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aligntune_core.backends.installed import normalised
from aligntune_core.doctor.finding import Finding, finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from packaging.requirements import Requirement


@dataclass(frozen=True, slots=True)
class Package:
    """An installed distribution.

    Args:
        name: Its name, normalised.
        version: Its version.
        requires: What it needs, as PEP 508 requirements.
    """

    name: str
    version: str
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Demand:
    """That one distribution needs another.

    Args:
        by: Who needs it, with its version where it has one; or the backend, for an engine.
        name: What is needed, normalised.
        specifier: In which versions; empty for any.
    """

    by: str
    name: str
    specifier: str


def installed_package(name: str) -> Package | None:
    """A distribution of this environment; None where it is not installed, or too little of it is left.

    Args:
        name: Its name, normalised.
    """
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        found = distribution(name)
        return Package(name, found.version, tuple(found.requires or ())) if found.version else None
    except (PackageNotFoundError, KeyError, OSError, ValueError, TypeError):
        return None


def demands_of(
    engines: Mapping[str, Iterable[str]], find: Callable[[str], Package | None]
) -> tuple[list[Demand], dict[str, Package | None]]:
    """All that the engines need, those needs' needs and so on, and what there is of it.

    Args:
        engines: The requirements of each backend, by its name.
        find: Finds a distribution by its normalised name.
    """
    demands: list[Demand] = []
    found: dict[str, Package | None] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(f"backend '{backend}'", need) for backend, needs in engines.items() for need in _parsed(needs, "")]
    while waiting:
        by, need = waiting.pop(0)
        name = normalised(need.name)
        demands.append(Demand(by, name, str(need.specifier)))
        if name not in found:
            found[name] = find(name)
        package = found[name]
        for extra in ("", *sorted(need.extras)):
            if package and (name, extra) not in seen:
                seen.add((name, extra))
                waiting += [(f"{name} {package.version}", each) for each in _parsed(package.requires, extra)]
    return list(dict.fromkeys(demands)), found


def package_findings(
    engines: Mapping[str, Iterable[str]], find: Callable[[str], Package | None] = installed_package
) -> Iterator[Finding]:
    """Where distributions contradict each other; what backends themselves need is said with the backends.

    Args:
        engines: The requirements of each backend, by its name.
        find: Finds a distribution by its normalised name.
    """
    from packaging.specifiers import SpecifierSet

    demands, found = demands_of(engines, find)
    own = {demand for demand in demands if demand.by.startswith("backend ")}
    agree = True
    for name, package in found.items():
        asked = [demand for demand in demands if demand.name == name]
        if package is None:
            open_ones = [demand for demand in asked if demand not in own]
        else:
            open_ones = [
                demand
                for demand in asked
                if demand not in own and not SpecifierSet(demand.specifier).contains(package.version, prereleases=True)
            ]
        if open_ones:
            agree = False
            stops = tuple(backend for backend, needs in engines.items() if name in reached(needs, find))
            yield _disagreement(name, package, open_ones, asked, stops)
    if agree:
        count = sum(package is not None for package in found.values())
        if count:
            yield finding("packages-agree", f"{count} distributions that engines need agree", facts={"count": count})


def _disagreement(
    name: str, package: Package | None, open_ones: list[Demand], asked: list[Demand], stops: tuple[str, ...]
) -> Finding:
    needs = " and ".join(f"{demand.by} needs {name}{demand.specifier}" for demand in open_ones)
    # one that all of them accept, so that mending one contradiction does not make another
    ranges = ",".join(dict.fromkeys(part for demand in asked for part in demand.specifier.split(",") if part))
    command = f'pip install "{name}{ranges}"'
    if package is None:
        return finding(
            "package-missing", f"{needs}, which is not installed.", command=command, subject=name, stops=stops
        )
    return finding(
        "package-conflict",
        f"{name} {package.version} is installed, but {needs}.",
        command=command,
        subject=name,
        facts={"installed": package.version, "needed": {demand.by: demand.specifier for demand in open_ones}},
    )


def reached(requirements: Iterable[str], find: Callable[[str], Package | None] = installed_package) -> set[str]:
    """The names of all distributions that the requirements come to.

    Args:
        requirements: PEP 508 requirements.
        find: Finds a distribution by its normalised name.
    """
    return set(demands_of({"": requirements}, find)[1])


def _parsed(requirements: Iterable[str], extra: str) -> list[Requirement]:
    from packaging.requirements import InvalidRequirement, Requirement

    found = []
    for text in requirements:
        try:
            need = Requirement(text)
        except InvalidRequirement:  # of an old distribution, in a form that is no longer read
            continue
        base = need.marker is None or need.marker.evaluate({"extra": ""})
        if (base and not extra) or (extra and not base and need.marker and need.marker.evaluate({"extra": extra})):
            found.append(need)
    return found
