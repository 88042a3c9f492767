"""How a run came out: the JSON object and the exit code of ``train``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import AlignTuneError, JobError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aligntune_core.check.verdict import Verdict
    from aligntune_core.problem import Problem
    from aligntune_core.trainer import TrainResult

INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run came out.

    Args:
        status: ``ok``, ``failed`` or ``refused``.
        exit_code: 0, 1, 2, or 130 for a run that was interrupted.
        algorithm: The job's algorithm, None where the job could not be read that far.
        backend: The backend that ran it, empty where none was chosen.
        output_dir: The folder with the model.
        steps: Optimiser steps taken.
        train_loss: The mean training loss.
        metrics: The engine's closing figures and those of the evaluation.
        error: What went wrong, for programs.
        problems: Everything that was found in a job that was refused.
        cause: The exception that ended the run.
        reason: Why that backend.
        rejected: Why each other backend was not taken.
    """

    status: str
    exit_code: int
    algorithm: str | None
    backend: str
    output_dir: str | None
    steps: int = 0
    train_loss: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None
    problems: tuple[Problem, ...] = ()
    cause: BaseException | None = None
    reason: str = ""
    rejected: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The outcome as JSON-ready values; ``error`` and ``problems`` are there when it is not ``ok``."""
        told: dict[str, Any] = {
            "status": self.status,
            "algorithm": self.algorithm,
            "backend": self.backend,
            "steps": self.steps,
            "train_loss": self.train_loss,
            "output_dir": self.output_dir,
            "metrics": dict(self.metrics),
            "reason": self.reason,
            "rejected": dict(self.rejected),
        }
        if self.status != "ok":
            told["error"] = dict(self.error or {})
            told["problems"] = [problem.to_dict() for problem in self.problems]
        return told


def finished(verdict: Verdict, result: TrainResult, output_dir: str, evaluation: Mapping[str, float]) -> Outcome:
    """The outcome of a run that came to its end.

    Args:
        verdict: What was decided about the job.
        result: What training came to.
        output_dir: Where the model was written.
        evaluation: The figures of the evaluation.
    """
    return replace(
        _begun(verdict),
        status="ok",
        exit_code=0,
        output_dir=output_dir,
        steps=result.steps,
        train_loss=result.train_loss,
        metrics={**result.metrics, **evaluation},
    )


def refused(verdict: Verdict) -> Outcome:
    """The outcome of a job that was refused before anything was loaded."""
    error = JobError(verdict.errors).to_dict()
    del error["problems"]
    return replace(_begun(verdict), status="refused", exit_code=2, error=error, problems=verdict.problems)


def stopped(verdict: Verdict, cause: BaseException, steps: int, *, began: bool) -> Outcome:
    """The outcome of a run that an exception ended.

    Args:
        verdict: What was decided about the job.
        cause: The exception.
        steps: Optimiser steps taken until then.
        began: Whether training had begun: then the run failed, else the job was refused.
    """
    begun = replace(_begun(verdict), steps=steps, cause=cause)
    if isinstance(cause, AlignTuneError):
        error = cause.to_dict()
        error.pop("problems", None)
        problems = cause.problems if isinstance(cause, JobError) else ()
        if began or cause.exit_code == 1:
            return replace(begun, error=error, problems=problems)
        return replace(begun, status="refused", exit_code=2, error=error, problems=problems)
    if isinstance(cause, KeyboardInterrupt):
        error = {"type": "KeyboardInterrupt", "message": f"interrupted after {steps} steps"}
        return replace(begun, exit_code=INTERRUPTED, error=error)
    return replace(begun, error={"type": type(cause).__name__, "message": str(cause)})


def _begun(verdict: Verdict) -> Outcome:
    job = verdict.job
    return Outcome(
        "failed",
        1,
        job.algorithm if job else None,
        verdict.backend,
        job.output_dir if job else None,
        reason=verdict.reason,
        rejected=verdict.rejected,
    )
