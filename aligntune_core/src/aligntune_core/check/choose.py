"""Which backend runs a job, and why no other does."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aligntune_core.backends.backend import Status
from aligntune_core.backends.job_keys import job_key_problems
from aligntune_core.backends.objections import declared_objection, objection, process_problems, unusable
from aligntune_core.backends.settings import argument_problems
from aligntune_core.check.formats import format_problems
from aligntune_core.check.rules import CORE_KEYS
from aligntune_core.problem import Problem, Severity
from aligntune_core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from aligntune_core.algorithms import Algorithm
    from aligntune_core.backends.backend import Backend
    from aligntune_core.check.considered import Considered

AUTO = "auto"


@dataclass
class Choice:
    """The backend that was chosen.

    Args:
        backend: The backend; None if there is none to choose.
        reason: Why that one.
        rejected: Why each other was not taken.
        problems: What is wrong with the job on that backend, or why there is none.
    """

    backend: Backend | None = None
    reason: str = ""
    rejected: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def choose(considered: Considered) -> Choice:
    """The backend that the job names, or the first that supports the whole job.

    Args:
        considered: The job, without what has no effect in it.
    """
    return _first_able(considered) if considered.wanted == AUTO else _named(considered)


def _named(considered: Considered) -> Choice:
    wanted, known, algorithm = considered.wanted, considered.backends, considered.algorithm
    names = known.names()
    if wanted not in names:
        fix = did_you_mean(wanted, [*names, AUTO])
        return Choice(problems=[Problem("unknown-backend", f"there is no backend '{wanted}'.", fix, "backend")])
    backend = known.get(wanted)
    problem = objection(backend, algorithm, considered.features) if algorithm else unusable(backend)
    choice = Choice(backend, "the job names it")
    if problem:
        choice.problems.append(replace(problem, fix=problem.fix or _way_out(considered)))
        # a backend that is absent is said even where it could not train the algorithm either
        absent = unusable(backend)
        if absent and absent != problem:
            choice.problems.append(absent)
    choice.problems += _notes(backend)
    choice.problems += _here(backend, considered)
    if (backend.plugin is not None or backend.environment) and algorithm:
        choice.problems += _asked(backend, considered)
    return choice


def _first_able(considered: Considered) -> Choice:
    choice = Choice()
    algorithm = considered.algorithm
    if algorithm is None:
        return choice
    reasons: list[str] = []
    able: list[Problem] = []
    queue, late = [*considered.backends.all(imported=False).items()], set()
    for name, declared in queue:
        objected = objection(declared, algorithm, considered.features)
        if objected is None and choice.backend and declared.plugin is None:
            choice.rejected[name] = f"'{choice.backend.name}' comes first"
            continue
        # what one that may train it says itself holds, and only that is imported
        backend = declared
        if objected is None:
            backend = considered.backends.get(name) if name in late else considered.backends.light(name)
        if objected is None and backend.ready and backend.plugin is None and name not in late:
            # its engine would be in the way of those that come after it
            late.add(name)
            queue.append((name, backend))
            continue
        objected = objected or objection(backend, algorithm, considered.features)
        problems = [objected] if objected else [*_here(backend, considered), *_asked(backend, considered)]
        stopping = [problem for problem in problems if problem.severity is Severity.ERROR]
        if stopping:
            choice.rejected[name] = " ".join(f"{problem.message} {problem.fix}".rstrip() for problem in stopping)
            reasons.append(" ".join(problem.message for problem in stopping).rstrip("."))
            able += [] if objected or able else problems
        elif choice.backend is None:
            choice.backend, choice.problems = backend, [*_notes(backend), *problems]
        else:
            choice.rejected[name] = f"'{choice.backend.name}' comes first"
    if choice.backend:
        choice.reason = "it is the first that supports the whole job here"
    elif able:
        # a backend could train this if the job were right: what is wrong with the job is the answer
        choice.problems = able
    else:
        message = f"no backend can run this job here: {'; '.join(reasons)}."
        install = _installs(algorithm, considered)
        fix = f"Install one, e.g. with: {install}" if install else ""
        choice.problems.append(Problem("no-backend", message, fix, "backend"))
    return choice


def _notes(backend: Backend) -> Iterator[Problem]:
    """What is odd about a backend and keeps nobody from using it."""
    if backend.ready and backend.reason:
        message = f"backend '{backend.name}': {backend.reason}."
        yield Problem("backend-heavy", message, "", "backend", Severity.WARNING)
    for note in backend.notes:
        yield replace(note, message=f"backend '{backend.name}': {note.message}.")


def _way_out(considered: Considered) -> str:
    algorithm = considered.algorithm
    if algorithm is None:
        return ""
    # no other plugin is imported for the sake of a message about this one
    backends = considered.backends.unimported()
    able = [name for name, each in backends.items() if objection(each, algorithm, considered.features) is None]
    if able:
        return f"Use backend='{able[0]}'."
    install = _installs(algorithm, considered)
    return f"No other backend here does; install one that may: {install}" if install else "No other backend here does."


def _installs(algorithm: Algorithm, considered: Considered) -> str:
    """The command that installs a backend which may train this, empty if there is none."""
    for backend in considered.backends.unimported().values():
        may = backend.info is None or declared_objection(backend, algorithm, considered.features) is None
        if backend.status is Status.MISSING and may:
            return backend.install
    return ""


def _here(backend: Backend, considered: Considered) -> list[Problem]:
    """What this process has against a backend; nothing for a job that gets a process of its own."""
    return [] if considered.job.isolation else process_problems(backend)


def _asked(backend: Backend, considered: Considered) -> list[Problem]:
    """What a backend that could train this has against the job itself."""
    return [problem for check in BACKEND_CHECKS for problem in check(backend, considered)]


def _undeclared_keys(backend: Backend, considered: Considered) -> Iterator[Problem]:
    """The keys that the backend does not declare, but for those that were said to be idle already."""
    if backend.info is None or backend.info.job_keys is None:
        return
    taken = CORE_KEYS | backend.info.job_keys | considered.idle | considered.job.further.keys()
    for key, value in considered.job.settings().items():
        if key not in taken and value is not False:
            yield Problem("unsupported-key", f"backend '{backend.name}' does not take '{key}'.", "Leave it out.", key)


def _own_check(backend: Backend, considered: Considered) -> Iterable[Problem]:
    job, algorithm = considered.job, considered.algorithm
    refused = argument_problems(backend, considered.backends, algorithm.name, job.backend_args) if algorithm else []
    brought = job_key_problems(backend, considered.backends, job)
    if refused:
        # what was refused is not asked about a second time
        keys = tuple(f"{problem.key}." for problem in refused)
        left = {
            name: value
            for name, value in job.backend_args.items()
            if not any(key.startswith(f"backend_args.{name}.") for key in keys)
        }
        job = job.model_copy(update={"backend_args": left})
    if brought:
        wrong = {problem.key.split(".")[0] for problem in brought}
        job = job.with_further({key: value for key, value in job.further.items() if key not in wrong})
    return [
        *refused,
        *brought,
        *considered.backends.problems(
            backend, "aligntune_check_job", "checked the job", job=job, probe=considered.probe
        ),
    ]


BACKEND_CHECKS: tuple[Callable[[Backend, Considered], Iterable[Problem]], ...] = (
    _undeclared_keys,
    format_problems,
    _own_check,
)
"""What is checked of a job on one backend."""
