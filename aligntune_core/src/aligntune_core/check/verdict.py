"""What the core says about a job: the problems found in it and the backend chosen for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import JobError
from aligntune_core.problem import Problem, Severity, in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aligntune_core.check.examination import Examination
    from aligntune_core.job import Job


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the core decided about a job.

    Args:
        job: The job as understood, or None when too little of it could be read.
        backend: The backend that would run it, or empty when none can.
        reason: Why that backend.
        rejected: Why each other backend was not taken.
        problems: Every finding, errors first.
        causes: The exceptions behind problems, by problem code.
        examination: What a deeper look found besides; None where there was none.
    """

    job: Job | None
    backend: str
    reason: str = ""
    rejected: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    causes: Mapping[str, BaseException] = field(default_factory=dict)
    examination: Examination | None = None

    def __str__(self) -> str:
        head = f"The job can run on backend '{self.backend}'." if self.ok else "The job can't run."
        return "\n".join([head, *(f"  {each.severity}: {each}" for each in self.problems)])

    @property
    def ok(self) -> bool:
        """Whether the job can run."""
        return not self.errors

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that stop the job."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that are only said."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.WARNING)

    def examined(self, examination: Examination, problems: Iterable[Problem], places: Mapping[str, str]) -> Verdict:
        """The same verdict after a deeper look.

        Args:
            examination: What was found.
            problems: What is wrong besides.
            places: ``file:line`` of keys that came from a job file.
        """
        found = in_order([*self.problems, *problems], places)
        return replace(self, examination=examination, problems=found)

    def raise_if_refused(self) -> Job:
        """The job, ready to launch.

        Raises:
            JobError: If any problem stops it; chained to the exception behind it where there is one.
        """
        if self.errors or self.job is None:
            raise JobError(self.errors) from next(iter(self.causes.values()), None)
        return self.job

    def to_dict(self) -> dict[str, Any]:
        """The verdict as JSON-ready values."""
        return {
            "ok": self.ok,
            "backend": self.backend,
            "reason": self.reason,
            "problems": [problem.to_dict() for problem in self.problems],
            "rejected": dict(self.rejected),
            "job": self.job.to_dict() if self.job else {},
            **(self.examination.to_dict() if self.examination else {}),
        }
