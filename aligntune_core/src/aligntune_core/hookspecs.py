"""The contract for backends, top to bottom.

A backend is a module that an entry point in the group ``aligntune_core.backends`` names; the entry point's name is the
backend's name. The module implements these hooks, each marked with ``aligntune_core.hookimpl``. It must be light: it
and all it imports may not import an engine (torch, transformers, trl, ...); engines are imported inside
``aligntune_create_trainer``. An implementation may take fewer arguments than its specification.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

from aligntune_core.groups import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel

    from aligntune_core.algorithms import Algorithm
    from aligntune_core.capabilities import BackendInfo
    from aligntune_core.data.formats.table import Format
    from aligntune_core.encoding import Encoding
    from aligntune_core.events import Event, Listener
    from aligntune_core.job import Job
    from aligntune_core.plan import Plan
    from aligntune_core.problem import Problem
    from aligntune_core.trainer import Trainer

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec(firstresult=True)
def aligntune_backend_info() -> BackendInfo | None:
    """Say what this backend is and what it supports. Required; no engine may be imported. Since 1.0.

    Returns:
        The backend's name, summary, requirements and capability rows.
    """


@hookspec(firstresult=True)
def aligntune_algorithms() -> Iterable[Algorithm] | None:
    """Bring algorithms that the core does not have. No engine may be imported. Since 1.0.

    Returns:
        The further algorithms; capability rows may then name them.
    """


@hookspec(firstresult=True)
def aligntune_settings(algorithm: str) -> type[BaseModel] | None:
    """Say what a job may write in ``backend_args``, as a pydantic model. No engine may be imported. Since 1.1.

    From its fields, with their types, bounds, defaults and descriptions, come the check of ``backend_args`` (unknown
    names, wrong types, values out of bounds), `aligntune backends NAME` and the schema for editors. Import pydantic and
    the model inside the hook: queries call it not.

    Args:
        algorithm: An algorithm of the capability table. A name that only other algorithms of this backend have is told
            to have no effect.

    Returns:
        A class of pydantic's ``BaseModel``; nothing where the plugin checks ``backend_args`` itself.
    """


@hookspec(firstresult=True)
def aligntune_job_keys() -> type[BaseModel] | None:
    """Bring keys at the top level of a job which only this backend takes. No engine may be imported. Since 1.1.

    They are accepted where a job names this backend, or where the choice of one falls on it; any other backend refuses
    them, naming this one. ``job.further`` has their values as they were written. Import pydantic and the model inside
    the hook.

    Returns:
        A class of pydantic's ``BaseModel``, whose fields are the keys; none may be a key that every job has.
    """


@hookspec(firstresult=True)
def aligntune_formats() -> Iterable[Format] | None:
    """Bring data formats: how datasets write rows, and what the backend's algorithms learn from. Since 1.1.

    They are known for the jobs of this backend, and come before the core's. The kinds of rows that their functions make
    are the core's or the plugin's own. Import the formats inside the hook; no engine may be imported. Hand the same to
    ``aligntune_core.data.prepare_job`` when the trainer is made.

    Returns:
        The formats, the most specific first; none may have the name of one of the core's.
    """


@hookspec(firstresult=True)
def aligntune_check_job(job: Job, probe: bool) -> Iterable[Problem] | None:
    """Find the problems of a job that only this backend can know. Since 1.0.

    Called after the core's own checks, with a job that the core could read, also when the core found problems in it:
    its algorithm may be one that this backend does not train. Every key in ``job.settings()`` has to be used or to be
    refused here, those of ``backend_args`` too unless ``aligntune_settings`` describes them: then those that it refuses
    are not in the job that is given here. The core itself refuses what no row of the capability table allows (e.g.
    ``packing``, ``use_peft``, ``resume``) and what means nothing to the job's algorithm.

    Args:
        job: The job.
        probe: Whether the engine may be imported to find out more; if false, it may not.

    Returns:
        The problems; nothing where there are none.
    """


@hookspec(firstresult=True)
def aligntune_plan_job(job: Job, rows: int | None) -> Plan | None:
    """Work out what a run would come to, for `aligntune check`. No engine may be imported. Since 1.0.

    Args:
        job: A job that this backend would train; the check may have found problems in it.
        rows: How many rows are learned from; None where they were not counted.

    Returns:
        The steps, the effective batch and what it is made up of, the engine's own settings, the size of checkpoints.
    """


@hookspec(firstresult=True)
def aligntune_encoding(job: Job, emit: Listener) -> Encoding | None:
    """Say how a job's rows become tokens, so that the core can judge them. Loads the tokenizer. Since 1.0.

    The libraries of tokenizers may be imported, but no engine that changes the process, and no weights are loaded.

    Args:
        job: A job that this backend would train.
        emit: Where it is said what was decided, as when a trainer is made.

    Returns:
        How rows become tokens, and the limits of the model.

    Raises:
        ModelError: If the tokenizer can't be loaded.
    """


@hookspec(firstresult=True)
def aligntune_diagnose() -> Iterable[Problem] | None:
    """Find what stands in the way of every job of this backend, here and in this process. Since 1.0.

    `aligntune doctor` asks it, with no job at hand: e.g. a release of the engine that can't train on this machine, or a
    process in which its classes were replaced. No engine may be imported. The same problems have to come from
    ``aligntune_check_job`` where they stop a job.

    Returns:
        The problems; nothing where there are none. Their ``key`` is not shown.
    """


@hookspec(firstresult=True)
def aligntune_create_trainer(job: Job, emit: Listener) -> Trainer | None:
    """Make the trainer for a job that passed every check. Required; imports the engine. Since 1.0.

    Args:
        job: The job. Keys outside ``job.model_fields_set`` were left alone by the user.
        emit: Where the trainer sends its events: the data as prepared, steps with metrics, checkpoints, the end;
            :mod:`aligntune_core.events` says which and when.

    Returns:
        The trainer; nothing has been trained yet.

    Raises:
        DataError: If the dataset can't be used.
        ModelError: If the model can't be loaded.
    """


@hookspec
def aligntune_trainer_created(job: Job, trainer: Trainer) -> None:
    """Observe that a trainer was made. Called on the backends that are loaded, and on every observer. Since 1.0.

    Args:
        job: The job it was made for.
        trainer: The trainer, before training.
    """


@hookspec
def aligntune_run_event(job: Job, event: Event) -> None:
    """Observe what a run tells. Called on observers alone, not on backends. Since 1.1.

    An observer is a module that an entry point in the group ``aligntune_core.observers`` names. It is imported when a
    trainer was made, and told then what there was before; then of every event as it comes, after the user's own
    listener, in the thread that the backend sends it from. What it raises is told as a notice and stops nothing; it is
    told no more of that run then.

    Args:
        job: The job.
        event: What happened, :mod:`aligntune_core.events` says which there are; a copy of the observer's own.
    """
