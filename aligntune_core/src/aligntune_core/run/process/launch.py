"""From a job to a trainer in a process of its own."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core.environments.holding import using
from aligntune_core.run.process.child_process import ChildProcess
from aligntune_core.run.process.functions import Functions
from aligntune_core.run.process.packing import Packed
from aligntune_core.run.process.remote_trainer import RemoteTrainer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aligntune_core.environments.environment import Environment
    from aligntune_core.events import Listener


def launch_in_process(
    job: Mapping[str, Any],
    *,
    on_event: Listener,
    python: str = "",
    child: ChildProcess | None = None,
    reason: str = "",
    rejected: Mapping[str, str] | None = None,
    environment: Environment | None = None,
) -> RemoteTrainer:
    """Make the trainer for a job in a process of its own, where it is decided anew.

    Args:
        job: The job's keys.
        on_event: What receives the run's events.
        python: The interpreter: one that has AlignTune and the backend; this process's own if empty.
        child: The process, where it was started already.
        reason: Why the backend that the job names was chosen; the process's own reason if empty.
        rejected: Why each other one was not.
        environment: The environment that the backend lives in, whose interpreter it then is.

    Raises:
        AlignTuneError: As a launch in this process; or if the process can't be started, or dies.
    """
    if environment and child:  # it was started before it was known where the backend lives
        child.discard()
    child = child_in(environment) if environment else child or ChildProcess(python)
    try:
        packed = Packed(job, child.folder)
        functions = Functions(packed.functions, child.conversation.call)
        child.serve = _Serving(on_event, functions)
        child.greet()
        child.call(
            "launch", "made the trainer", job=packed.job, reason=reason, rejected=dict(rejected or {}), path=own_path()
        )
    except BaseException:
        if not child.is_gone:  # what it printed is kept where its death was told of
            child.discard()
        raise
    return RemoteTrainer(child)


def child_in(environment: Environment) -> ChildProcess:
    """A process in an environment, which nobody removes for as long as the process is there."""
    with using(environment.name) as (held, lock):
        return ChildProcess(held.python, environ=held.environ(os.environ), keep=(lock,))


class _Serving:
    """Does what the engine's process asks for."""

    def __init__(self, on_event: Listener, functions: Functions) -> None:
        self._on_event = on_event
        self._functions = functions

    def __call__(self, do: str, given: Mapping[str, Any]) -> Any:
        if do == "event":
            return self._on_event(given["event"])
        if do == "score":
            return self._functions.score(**given)
        raise ValueError(f"there is no {do!r}")


def own_path() -> list[str]:
    """Where this process imports from that no installation put there: the script's folder, what a notebook added."""
    installed = [Path(each) for each in {sys.prefix, sys.base_prefix, sys.exec_prefix}]
    own = []
    for entry in sys.path:
        place = Path.cwd() / entry
        with suppress(OSError):
            if place.is_dir() and not any(place.is_relative_to(each) for each in installed):
                own.append(str(place))
    return own
