"""From a job to a trainer, through the backend that the decision names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.backends.registry import Registry, registry
from aligntune_core.check.schedule import schedule_problems
from aligntune_core.errors import AlignTuneError
from aligntune_core.events import TRAINING_DATA, DataReady, Decided, Event, Listener, Notice, Started
from aligntune_core.wording import described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aligntune_core.backends.backend import Backend
    from aligntune_core.check.verdict import Verdict
    from aligntune_core.job import Job
    from aligntune_core.problem import Problem
    from aligntune_core.run.process.child_process import ChildProcess
    from aligntune_core.trainer import Trainer


def create_trainer(*, on_event: Listener | None = None, python: str = "", **job: Any) -> Trainer:
    """Make the trainer for a job.

    Args:
        on_event: What receives the run's events; progress is shown on standard error if None.
        python: The interpreter that the engine runs in, in a process of its own: one that has AlignTune and the
            backend. This process's own if empty.
        **job: The job's keys; :class:`aligntune_core.job.Job` lists them.

    Returns:
        The trainer of the chosen backend, with model and data loaded and nothing trained yet.

    Raises:
        JobError: If the job can't run, with every problem that was found.
        DataError: If the dataset can't be used.
        ModelError: If the model can't be loaded.
        BackendError: If the backend breaks the contract.
    """
    if python:
        from aligntune_core.jobs.read import read_job
        from aligntune_core.run.observers import Observers
        from aligntune_core.run.process.launch import launch_in_process

        # only that interpreter knows what it has
        emit = Observers(read_job(job)[0], on_event or _console())
        remote = launch_in_process(job, on_event=emit, python=python)
        emit.begin(remote)
        return remote
    # the names of this module are asked for in queries, which need nothing that reads a job
    from aligntune_core.run.process.ahead import started_ahead

    with started_ahead(job) as child:
        from aligntune_core.check.decide import decide

        return launch(decide(job), on_event=on_event, child=child)


def launch(
    verdict: Verdict,
    *,
    on_event: Listener | None = None,
    backends: Registry | None = None,
    child: ChildProcess | None = None,
    observed: bool = True,
) -> Trainer:
    """Make the trainer that a verdict allows.

    Args:
        verdict: What was decided about the job.
        on_event: What receives the run's events; progress is shown on standard error if None.
        backends: The registry that the verdict was made with; this process's own if None.
        child: The process for a job that asks for one, where it was started already.
        observed: Whether the observers of this environment are told; not where another process tells its own.

    Raises:
        JobError: If the verdict refuses the job.
        BackendError: If the backend breaks the contract.
    """
    from aligntune_core.run.calling import calling
    from aligntune_core.run.emitting import Emitting
    from aligntune_core.run.held_trainer import HeldTrainer
    from aligntune_core.run.members import require_trainer
    from aligntune_core.run.observers import Observers

    job = verdict.raise_if_refused()
    emit = Observers(job, on_event or _console(), None if observed else ())
    known = backends or registry()
    backend = known.get(verdict.backend)
    if job.isolation or backend.environment:
        from aligntune_core.run.process.launch import launch_in_process

        remote = launch_in_process(
            job.settings(),
            on_event=emit,
            child=child,
            reason=verdict.reason,
            rejected=verdict.rejected,
            environment=backend.environment,
        )
        emit.begin(remote)
        return remote
    emit(
        Decided(verdict.backend, verdict.reason, verdict.rejected, tuple(str(problem) for problem in verdict.warnings))
    )
    watching = _watching_the_length(job, emit, lambda rows: _room(job, backend, known, rows))
    emitting = Emitting(verdict.backend, watching, job.algorithm)
    with calling(emitting, "made the trainer"):
        made = known.hook(backend, "aligntune_create_trainer")(job=job, emit=emitting)
    require_trainer(verdict.backend, made)
    trainer = HeldTrainer(made, emitting)
    for name, error in known.announce("aligntune_trainer_created", job=job, trainer=trainer).items():
        emit(Notice(f"backend '{name}' failed to observe the trainer: {described(error)}", warning=True))
    emit.begin(trainer)
    return trainer


def _room(job: Job, backend: Backend, known: Registry, rows: int) -> Iterable[Problem]:
    """Whether the checkpoints of a run on so many rows fit on the disk, as a check finds it."""
    from aligntune_core.check.disk import room_problems
    from aligntune_core.check.planned import planned

    try:
        plan = planned(job, rows, backend, known)
    except AlignTuneError:
        # only a check is about the plan: the run itself needs none
        return ()
    return room_problems(job, plan) if plan else ()


def _watching_the_length(job: Job, emit: Listener, room: Callable[[int], Iterable[Problem]]) -> Listener:
    """A listener that passes everything on, and warns of what the run turns out to be too short or too large for."""

    def listen(event: Event) -> None:
        emit(event)
        found: Iterable[Problem] = ()
        if isinstance(event, DataReady) and event.name == TRAINING_DATA:
            found = room(event.rows)
        elif isinstance(event, Started) and event.total_steps and not job.is_set("max_steps"):
            found = schedule_problems(job, event.total_steps)
        for problem in found:
            emit(Notice.of(problem))

    return listen


def _console() -> Listener:
    from aligntune_core.console.progress import ConsoleProgress

    return ConsoleProgress()
