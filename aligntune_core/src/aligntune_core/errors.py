"""The errors a user can meet, each saying what is wrong, why, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aligntune_core.problem import Problem


class AlignTuneError(Exception):
    """Something a user can put right.

    Args:
        message: What is wrong and why, in one or two sentences.
        fix: What to do about it.
        code: A stable name for programs, that of the problem which a check would find; the class's own if left out.
    """

    code: str = "aligntune"
    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, fix: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.code = code or type(self).code

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".rstrip()

    def to_dict(self) -> dict[str, Any]:
        """The error as JSON-ready values: type, code, message and fix."""
        return {"type": type(self).__name__, "code": self.code, "message": self.message, "fix": self.fix}


class JobError(AlignTuneError):
    """A job that was refused, with every problem that was found in it."""

    code = "job"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = "The job can't run:" if count == 1 else f"The job can't run, for {count} reasons:"
        super().__init__("\n".join([head, *(f"  - {problem}" for problem in self.problems)]))

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "problems": [problem.to_dict() for problem in self.problems]}


class JobFileError(AlignTuneError):
    """A job file that can't be read as one."""

    code = "job-file"


class DataError(AlignTuneError):
    """A dataset that can't be loaded or that holds nothing to learn from."""

    code = "data"


class ModelError(AlignTuneError):
    """A model or tokenizer that can't be loaded or doesn't fit the job."""

    code = "model"


class CheckpointError(AlignTuneError):
    """A checkpoint that is asked for and isn't there, or isn't whole."""

    code = "checkpoint"


class RewardError(AlignTuneError):
    """A reward function that can't be found, fails, or returns something that isn't a reward."""

    code = "reward"


class BackendError(AlignTuneError):
    """A backend that doesn't keep the contract."""

    code = "backend"


class SetupError(AlignTuneError):
    """An environment for a backend that can't be made, found or used."""

    code = "environment"


class RunError(AlignTuneError):
    """A run that began and could not go on."""

    code = "run"
    exit_code = 1
