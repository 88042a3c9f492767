"""One thing that was found out about a machine or an environment, and all of them together."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from aligntune_core.doctor.codes import CODES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aligntune_core.problem import Problem


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found out.

    Args:
        code: A stable name in kebab case, e.g. ``torch-cpu-build``.
        level: How much it matters.
        section: What it is about: ``machine``, ``devices``, ``backends``, ``environment`` or ``hub``.
        message: What was found, in one or two sentences.
        why: Why that matters.
        fix: What to do about it, where a command alone does not say it.
        command: The command that mends it, or that a person starts with.
        subject: What of several it speaks of, e.g. the backend's name.
        stops: The backends that can't train because of it.
        facts: The same for programs, as JSON-ready values.
    """

    code: str
    level: Level
    section: str
    message: str
    why: str = ""
    fix: str = ""
    command: str = ""
    subject: str = ""
    stops: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The finding as JSON-ready values."""
        return {
            "code": self.code,
            "level": str(self.level),
            "section": self.section,
            "subject": self.subject,
            "message": self.message,
            "why": self.why,
            "fix": self.fix,
            "command": self.command,
            "stops": list(self.stops),
            "facts": dict(self.facts),
        }


def finding(
    code: str,
    message: str,
    *,
    fix: str = "",
    command: str = "",
    subject: str = "",
    stops: tuple[str, ...] = (),
    facts: Mapping[str, Any] | None = None,
) -> Finding:
    """A finding with one of the codes that stand in the table.

    Args:
        code: The code, which says the level, the section and why it matters.
        message: What was found.
        fix: What to do about it.
        command: The command that mends it.
        subject: What of several it speaks of.
        stops: The backends that can't train because of it.
        facts: The same for programs.
    """
    known = CODES[code]
    level = Level(known.level)
    return Finding(code, level, known.section, message, known.why, fix, command, subject, stops, facts or {})


def from_problem(problem: Problem, backend: str) -> Finding:
    """What a backend says stands in its way.

    Args:
        problem: The problem.
        backend: The backend's name.
    """
    level = Level(problem.severity)
    stops = (backend,) if level is Level.ERROR else ()
    why = CODES[problem.code].why if problem.code in CODES else ""
    return Finding(problem.code, level, "backends", problem.message, why, problem.fix, subject=backend, stops=stops)
