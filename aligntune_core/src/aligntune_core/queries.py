"""What people and programs ask before they launch: what is supported, whether a job would run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import find_algorithm
from aligntune_core.plugins import Registry, registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aligntune_core.capabilities import Feature, Support
    from aligntune_core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class CapabilityRow:
    """One cell of the support matrix, as its backend declares it."""

    backend: str
    algorithm: str
    task: str
    support: Support
    features: tuple[Feature, ...]
    note: str

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON-ready values."""
        return {
            "backend": self.backend,
            "algorithm": self.algorithm,
            "task": self.task,
            "support": str(self.support),
            "features": [str(feature) for feature in self.features],
            "note": self.note,
        }


def capabilities(
    *, backend: str | None = None, algorithm: str | None = None, backends: Registry | None = None
) -> list[CapabilityRow]:
    """What every backend declares for every algorithm; nothing heavy is imported.

    Args:
        backend: Only this backend's rows.
        algorithm: Only this algorithm's rows, by name or alias.
        backends: The registry to ask; this process's own if None.
    """
    known = backends or registry()
    wanted_backend = known.spelt(backend) if backend else None
    described = {name: found for name, found in known.all().items() if found.info is not None}
    algorithms = known.algorithms(name for name in described if name in known.names())
    wanted = find_algorithm(algorithm, algorithms) if algorithm else None
    rows = []
    for name, found in described.items():
        if found.info is None or (backend and name != wanted_backend):
            continue
        for each in algorithms:
            if algorithm and each is not wanted:
                continue
            row = found.info.capability(each.name)
            features = tuple(sorted(row.features))
            rows.append(CapabilityRow(name, each.name, str(each.task), row.support, features, row.note))
    return rows


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes or no, and why; true in a condition if yes."""

    yes: bool
    reason: str

    def __bool__(self) -> bool:
        return self.yes


def supports(backend: str, algorithm: str, *features: str, backends: Registry | None = None) -> Answer:
    """Whether a backend declares that it trains an algorithm, with these features.

    Args:
        backend: The backend's name.
        algorithm: The algorithm's name or alias.
        *features: Names of features, e.g. ``lora``.
        backends: The registry to ask; this process's own if None.
    """
    from aligntune_core.capabilities import Feature
    from aligntune_core.decide import declared_objection
    from aligntune_core.suggest import did_you_mean

    known = backends or registry()
    name = known.spelt(backend)
    if name is None:
        return Answer(False, f"there is no backend '{backend}'. {did_you_mean(str(backend), known.names())}")
    algorithms = known.algorithms([name])
    found = find_algorithm(str(algorithm), algorithms)
    if found is None:
        algorithms = known.algorithms(known.names())
        found = find_algorithm(str(algorithm), algorithms)
    if found is None:
        names = [each.name for each in algorithms]
        return Answer(False, f"there is no algorithm '{algorithm}'. {did_you_mean(str(algorithm), names)}")
    unknown = [feature for feature in features if feature not in list(Feature)]
    if unknown:
        return Answer(False, f"there is no feature '{unknown[0]}'. {did_you_mean(str(unknown[0]), list(Feature))}")
    problem = declared_objection(known.get(name), found, [Feature(feature) for feature in features])
    if problem:
        return Answer(False, problem.message)
    row = known.get(name).info
    note = row.capability(found.name).note if row else ""
    return Answer(True, note)


def check(*, level: str = "data", **job: Any) -> Verdict:
    """Whether a job would run here, on which backend, and every problem with it; nothing is trained.

    Args:
        level: How deep to look: ``fast`` reads the job, the tables and the names on the disk, in a fraction of a
            second; ``data`` also reads the data, as the engine will see it, which needs the tokenizer; ``probe`` also
            loads the model and takes two steps on the first rows, in this process.
        **job: The job's keys; :class:`aligntune.Job` lists them.

    Raises:
        ValueError: If there is no such level.
    """
    return check_job(job, level=level)


def check_job(
    values: Mapping[str, Any],
    *,
    level: str = "data",
    places: Mapping[str, str] | None = None,
    backends: Registry | None = None,
) -> Verdict:
    """The same as :func:`check`, for keys that came from a job file.

    Args:
        values: The job's keys.
        level: How deep to look.
        places: ``file:line`` of keys that came from a job file.
        backends: The registry to choose from; this process's own if None.
    """
    from aligntune_core.decide import decide
    from aligntune_core.examine import Level, examine

    depth = Level(level)
    known = backends or registry()
    verdict = decide(values, places=places, probe=depth is Level.PROBE, backends=known)
    return examine(verdict, level=depth, backends=known, places=places)
