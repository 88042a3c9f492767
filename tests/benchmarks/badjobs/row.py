"""One bad job: what is wrong, how AlignTune is given it, how TRL is, and what AlignTune should say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

Write = Callable[[Path], None]


class Stage(StrEnum):
    """How a job came out; of those that end it, and of those that do not, each is better than the next."""

    FAST = "refused by check --fast"
    CHECK = "refused by check"
    LAUNCH = "refused at launch"
    TRAINING = "stopped while training"
    MEANT = "trained as it was meant"
    WARNED = "warned by check"
    SAID = "trained, and said so"
    TRAINED = "trained, said nothing"
    BROKEN = "a traceback"


@dataclass(frozen=True, slots=True)
class BadJob:
    """A bad job.

    Args:
        name: Its name, in kebab case.
        wrong: What is wrong with it, in one line.
        job: What ``job.yaml`` holds: keys, or bytes where it is not a job file at all.
        by_hand: The same job on TRL: a script, or the words after ``trl``. None where TRL has no such thing.
        code: The problem code that AlignTune gives, empty where the job trains.
        stage: How it comes out; a better stage is right too.
        files: What is written into the job's folder after a good model and good data.
        words: The words after ``aligntune check`` and ``aligntune train``.
        earlier: Whether the folder holds the checkpoints 2 and 4 of a finished run, made by the side that is tried.
        proof: What AlignTune writes where it takes the job as it was meant, so that nothing is wrong any more.
        remark: What has to be known to read the row.
    """

    name: str
    wrong: str
    job: Mapping[str, Any] | bytes
    by_hand: str | tuple[str, ...] | None = None
    code: str = ""
    stage: Stage = Stage.CHECK
    files: tuple[Write, ...] = ()
    words: tuple[str, ...] = ("job.yaml",)
    earlier: bool = False
    proof: str = ""
    remark: str = ""

    @property
    def kind(self) -> str:
        """The algorithm whose data lie in the folder."""
        return str(self.job.get("algorithm", "sft")) if isinstance(self.job, Mapping) else "sft"
