"""The process of a job that asks for one, started while the job is still looked at."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aligntune_core.run.process.child_process import ChildProcess


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

    child = ChildProcess()
    try:
        yield child
    finally:
        if not child.is_taken and not child.is_gone:
            child.discard()
