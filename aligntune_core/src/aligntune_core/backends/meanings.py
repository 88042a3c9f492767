"""What names of algorithms mean: to the core, to each backend, and where they mean several things at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aligntune_core.algorithms import ALGORITHMS, Algorithm, find_algorithm, spelling
from aligntune_core.capabilities import BackendInfo, Capability, Support

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aligntune_core.backends.registry import Registry
    from aligntune_core.problem import Problem

_WORDS = {"task": "its task is", "dataset": "its rows are", "reward": "its reward is", "needs": "it needs"}
"""What an algorithm means, apart from the words for people; and how a message says each."""


def apart(one: Algorithm, other: Algorithm) -> str:
    """In what two algorithms of one name mean different things, in words; empty if they mean the same.

    Args:
        one: An algorithm.
        other: Another one.
    """
    told = []
    for name, words in _WORDS.items():
        mine, theirs = (_shown(getattr(each, name)) for each in (one, other))
        if mine != theirs:
            told.append(f"{words} {mine}, not {theirs}")
    return "; ".join(told)


def _shown(value: object) -> str:
    return "'" + (", ".join(sorted(value)) if isinstance(value, tuple) else str(value)) + "'"


def judged(info: BackendInfo, brought: tuple[Algorithm, ...]) -> tuple[BackendInfo, tuple[Algorithm, ...], list[str]]:
    """What a backend declares without what clashes with the core or with itself: its other rows stand.

    Args:
        info: What its plugin says of it.
        brought: The algorithms that it brings.

    Returns:
        The same, where each row of a clashing algorithm says that it is not supported and why; the algorithms without
        what clashes; and each clash in words.
    """
    faults: dict[str, str] = {}
    kept = []
    for algorithm in brought:
        fault = _fault(algorithm, brought)
        if fault:
            faults[algorithm.name] = fault
        core = _of_core(algorithm.name)
        if core and apart(algorithm, core):
            continue
        aliases = tuple(alias for alias in algorithm.aliases if not _alias_fault(alias, algorithm, brought))
        kept.append(replace(algorithm, aliases=aliases))
    if not faults:
        return info, brought, []
    rows = tuple(
        Capability(row.algorithm, Support.UNSUPPORTED, note=faults[row.algorithm]) if row.algorithm in faults else row
        for row in info.capabilities
    )
    clashes = [f"its algorithm '{name}' is refused: {fault}" for name, fault in faults.items()]
    return replace(info, capabilities=rows), tuple(kept), clashes


def _of_core(name: str) -> Algorithm | None:
    return next((each for each in ALGORITHMS if each.name == name), None)


def _fault(algorithm: Algorithm, brought: tuple[Algorithm, ...]) -> str:
    core = _of_core(algorithm.name)
    if core and (difference := apart(algorithm, core)):
        return f"'{algorithm.name}' is an algorithm of the core, and this one means something else: {difference}"
    taken = find_algorithm(algorithm.name)
    if taken and not core:
        return f"'{algorithm.name}' is another name of the core's '{taken.name}'"
    for other in brought:
        if other.name == algorithm.name and (difference := apart(algorithm, other)):
            return f"its plugin brings two algorithms of that name: {difference}"
    return next(filter(None, (_alias_fault(alias, algorithm, brought) for alias in algorithm.aliases)), "")


def _alias_fault(alias: str, algorithm: Algorithm, brought: tuple[Algorithm, ...]) -> str:
    taken = find_algorithm(alias)
    if taken and taken.name != algorithm.name:
        return f"its alias '{alias}' means the core's '{taken.name}'"
    for other in brought:
        if other.name != algorithm.name and alias in (other.name, *other.aliases):
            return f"its alias '{alias}' also means '{other.name}'"
    return ""


def clashes(brought: Mapping[str, tuple[Algorithm, ...]]) -> dict[str, list[Problem]]:
    """What several backends mean differently, told of each of them.

    Args:
        brought: The algorithms that backends bring, by the backends' names.
    """
    found: dict[str, list[Problem]] = {}
    for name, mine in brought.items():
        for algorithm in mine:
            others = ((other, each) for other, theirs in brought.items() if other != name for each in theirs)
            found.setdefault(name, []).extend(clash_note(words) for words in _between(algorithm, others))
    return {name: list(dict.fromkeys(notes)) for name, notes in found.items() if notes}


def _between(algorithm: Algorithm, others: Iterator[tuple[str, Algorithm]]) -> Iterator[str]:
    for other, each in others:
        if each.name == algorithm.name:
            if difference := apart(algorithm, each):
                yield f"its algorithm '{algorithm.name}' means something else to backend '{other}': {difference}"
            continue
        for word in sorted({algorithm.name, *algorithm.aliases} & {each.name, *each.aliases}):
            which = "name" if word == algorithm.name else "alias"
            theirs = "name" if word == each.name else "alias"
            yield f"'{word}', its {which} of '{algorithm.name}', is the {theirs} of '{each.name}' to backend '{other}'"


def clash_note(words: str) -> Problem:
    """A clash as a note of its backend."""
    fix = "Jobs that name their backend mean what that backend means."
    from aligntune_core.problem import Problem, Severity

    return Problem("algorithm-clash", words, fix, "backend", Severity.WARNING)


def meant(name: object, brought: Mapping[str, tuple[Algorithm, ...]]) -> list[Algorithm]:
    """The algorithms that a name may mean: the core's, else those of that name, else those of that alias.

    Args:
        name: A name or an alias, however it is capitalised or hyphenated.
        brought: The algorithms that backends bring, by the backends' names.

    Returns:
        One where the name is clear, none where nobody knows it, one for each meaning otherwise.
    """
    wanted = spelling(str(name))
    core = find_algorithm(wanted)
    if core:
        return [core]
    known = [each for theirs in brought.values() for each in theirs]
    found = [each for each in known if each.name == wanted] or [each for each in known if wanted in each.aliases]
    distinct: list[Algorithm] = []
    for each in found:
        if all(each.name != other.name or apart(each, other) for other in distinct):
            distinct.append(_of_core(each.name) or each)
    return distinct


def meanings(name: object, known: Registry, backend: str | None = None) -> list[Algorithm]:
    """The algorithms that a name may mean, by all backends or by the one that is named with it.

    Args:
        name: A name or an alias.
        known: The registry of the backends.
        backend: The backend that was named with it, whose meaning holds. No other is imported then: what they declare
            counts only as far as it is recorded, and only for a name that this one does not know. All if None.
    """
    if backend is None:
        return meant(name, {each: known.brought(each) for each in known.names()})
    own = meant(name, {backend: known.brought(backend)})
    return own or meant(name, {each: known.brought(each) for each in known.unimported()})


def own_meaning(algorithm: Algorithm, backend: str, known: Registry) -> Algorithm:
    """What a backend itself means by an algorithm's name.

    Args:
        algorithm: What it means to others.
        backend: The backend.
        known: The registry that it is of.
    """
    if _of_core(algorithm.name):
        return algorithm
    return next((each for each in known.brought(backend) if each.name == algorithm.name), algorithm)
