"""One finding about a job, and how much it matters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Severity(StrEnum):
    """How much a problem matters: an error stops the job, a warning is only said."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about a job.

    Args:
        code: A stable name in kebab case, e.g. ``unknown-key``.
        message: What is wrong and why, in one or two sentences.
        fix: What to do about it; may be empty.
        key: The job key it concerns, dotted for nested ones; empty when it concerns the whole job.
        severity: Whether the job can't run, or is only suspect.
        where: ``file:line`` where the key came from a job file.
    """

    code: str
    message: str
    fix: str = ""
    key: str = ""
    severity: Severity = Severity.ERROR
    where: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "severity", Severity(self.severity))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.message} {self.fix}".rstrip()

    def to_dict(self) -> dict[str, str]:
        """The problem as JSON-ready values."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "key": self.key,
            "message": self.message,
            "fix": self.fix,
            "where": self.where,
        }


def in_order(problems: Iterable[Problem], places: Mapping[str, str]) -> tuple[Problem, ...]:
    """Each problem once, errors first, with ``file:line`` where its key came from a job file.

    Args:
        problems: The problems.
        places: ``file:line`` by key.
    """
    placed = [replace(problem, where=places.get(problem.key, problem.where)) for problem in problems]
    return tuple(sorted(dict.fromkeys(placed), key=lambda problem: problem.severity is not Severity.ERROR))
