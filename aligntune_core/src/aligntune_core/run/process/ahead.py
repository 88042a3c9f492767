"""The process of a job that asks for one, started before the job is read: it comes up while that is done."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aligntune_core.run.process.child_process import ChildProcess

_early: list[ChildProcess] = []


def start_early(words: Sequence[str]) -> None:
    """Start the process that a command's words ask for, before the command itself is imported.

    Args:
        words: The words after the program's name.
    """
    pairs = zip(words, [*words[1:], ""], strict=True)
    asked = {"isolation=process", "--isolation=process"} & set(words) or ("--isolation", "process") in pairs
    if words[:1] == ["train"] and asked:
        from aligntune_core.run.process.child_process import ChildProcess

        _early.append(ChildProcess())


def end_early() -> None:
    """End what :func:`start_early` started and no job has taken."""
    while _early:
        _early.pop().discard()


@contextmanager
def started_ahead(job: Mapping[str, object]) -> Iterator[ChildProcess | None]:
    """A process for a job, if it asks for one; it is ended where no trainer comes of it.

    Args:
        job: The job's keys, right or wrong.
    """
    if job.get("isolation") != "process":
        yield None
        return
    from aligntune_core.run.process.child_process import ChildProcess

    child = _early.pop() if _early else ChildProcess()
    try:
        yield child
    finally:
        if not child.is_taken and not child.is_gone:
            child.discard()
