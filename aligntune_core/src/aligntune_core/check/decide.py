"""The one place where it is decided whether a job can run, on which backend, and why not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import find_algorithm
from aligntune_core.backends.backend import Status
from aligntune_core.backends.registry import Registry, registry
from aligntune_core.capabilities import Feature, Support
from aligntune_core.check.verdict import Verdict
from aligntune_core.machine.devices import device
from aligntune_core.problem import Problem, Severity, in_order
from aligntune_core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aligntune_core.algorithms import Algorithm
    from aligntune_core.backends.backend import Backend
    from aligntune_core.job import Job

AUTO = "auto"


@dataclass
class _Choice:
    backend: Backend | None = None
    reason: str = ""
    rejected: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def decide(
    values: Mapping[str, Any],
    *,
    places: Mapping[str, str] | None = None,
    probe: bool = False,
    backends: Registry | None = None,
) -> Verdict:
    """Whether a job can run here and on which backend, with every problem that can be known without an engine.

    Args:
        values: The job's keys.
        places: ``file:line`` of keys that came from a job file.
        probe: Whether backends may import their engines to find out more.
        backends: The registry to choose from; this process's own if None.
    """
    from aligntune_core.check.on_disk import place_problems
    from aligntune_core.check.rules import job_problems, required_features
    from aligntune_core.jobs.read import read_job

    known = backends or registry()
    job, problems = read_job(values)
    wanted = known.spelt(job.backend) or job.backend.strip().lower()
    algorithm = _algorithm(job, wanted, known, problems)
    if algorithm:
        job = job.model_copy(update={"algorithm": algorithm.name})
    here = device()
    problems += job_problems(job, algorithm, here)
    problems += place_problems(job, algorithm)
    problems += _reward_problems(job)
    # what has no effect was said already, and is not asked of a backend too
    idle = {problem.key for problem in problems if problem.code == "no-effect"}
    features = [feature for feature in required_features(job, here) if _KEYS.get(feature.value) not in idle]
    if wanted == AUTO:
        choice = _choose(job, algorithm, features, known, probe=probe, idle=idle)
    else:
        choice = _explicit(wanted, algorithm, features, known)
        if choice.backend and choice.backend.plugin is not None and algorithm:
            choice.problems += _key_problems(choice.backend, job, idle)
            choice.problems += _backend_problems(choice.backend, job, known, probe=probe)
    problems += choice.problems
    chosen = choice.backend
    causes = {"backend-broken": chosen.cause} if chosen and chosen.cause else {}
    return Verdict(
        job.model_copy(update={"backend": chosen.name}) if chosen else job,
        chosen.name if chosen else "",
        choice.reason,
        choice.rejected,
        in_order(problems, places or {}),
        causes,
    )


def objection(backend: Backend, algorithm: Algorithm, features: Iterable[Feature]) -> Problem | None:
    """Why a backend, as it stands here, can't run an algorithm with these features; None if it can.

    Args:
        backend: The backend.
        algorithm: What it should train.
        features: What else is asked of it.
    """
    return declared_objection(backend, algorithm, features) or _unusable(backend)


def declared_objection(backend: Backend, algorithm: Algorithm, features: Iterable[Feature]) -> Problem | None:
    """Why a backend does not declare that it trains an algorithm with these features; None if it does.

    Args:
        backend: The backend, usable here or not.
        algorithm: What it should train.
        features: What else is asked of it.
    """
    if backend.info is None:
        return _unusable(backend)
    row = backend.info.capability(algorithm.name)
    if row.support is Support.UNSUPPORTED:
        message = f"backend '{backend.name}' does not train '{algorithm.name}': {row.note.rstrip('.')}."
        return Problem("unsupported-algorithm", message, "", "algorithm")
    asked_for = set(features)
    lacking = [feature for feature in Feature if feature in asked_for and feature not in row.features]
    if lacking:
        asked = ", ".join(_ASKED[feature] for feature in lacking)
        message = f"backend '{backend.name}' does not train '{algorithm.name}' {asked}."
        return Problem("unsupported-feature", message, "", _KEYS.get(lacking[0].value, "backend"))
    return None


_KEYS = {
    "qlora": "load_in_4bit",
    "lora": "use_peft",
    "full": "use_peft",
    "packing": "packing",
    "gradient_checkpointing": "gradient_checkpointing",
    "evaluation": "eval_dataset_name",
    "resume": "resume",
    "gguf": "model_name",
}
_ASKED = {
    Feature.FULL: "with all weights",
    Feature.LORA: "with LoRA adapters",
    Feature.QLORA: "with adapters on a model in 4 bits",
    Feature.PACKING: "with packing",
    Feature.GRADIENT_CHECKPOINTING: "with gradient checkpointing",
    Feature.EVALUATION: "with evaluation data",
    Feature.RESUME: "from a checkpoint",
    Feature.GGUF: "from a .gguf file",
    Feature.CPU: "on a CPU",
    Feature.CUDA: "on a CUDA GPU",
    Feature.MULTI_GPU: "on several GPUs",
}


def _reward_problems(job: Job) -> list[Problem]:
    if not job.reward_functions:
        return []
    from aligntune_core.rewards import problems

    return problems(job.reward_functions, max_completion_length=job.max_completion_length)


def _unusable(backend: Backend) -> Problem | None:
    if backend.status is Status.MISSING:
        standing = "can't be used here" if backend.info else "is not installed"
        message = f"backend '{backend.name}' {standing}: {backend.reason}."
        fix = f"Install it with: {backend.install}" if backend.install else ""
        return Problem("backend-not-installed", message, fix, "backend")
    if backend.status is Status.BROKEN:
        fix = f"Mend or remove it: {backend.install}" if backend.install else "Mend or uninstall its distribution."
        return Problem("backend-broken", f"backend '{backend.name}' is broken: {backend.reason}.", fix, "backend")
    if backend.status is Status.DISABLED:
        message = f"backend '{backend.name}' is disabled: {backend.reason}."
        return Problem("backend-disabled", message, "Change that environment variable.", "backend")
    return None


def _algorithm(job: Job, wanted: str, known: Registry, problems: list[Problem]) -> Algorithm | None:
    if not job.algorithm:
        return None
    names = known.names()
    algorithms = known.algorithms(names if wanted == AUTO else [wanted] if wanted in names else [])
    algorithm = find_algorithm(job.algorithm, algorithms)
    if algorithm is None:
        # only now, since it loads every plugin: another backend may bring it
        algorithms = known.algorithms(names)
        algorithm = find_algorithm(job.algorithm, algorithms)
    if algorithm is None:
        fix = did_you_mean(job.algorithm, [algorithm.name for algorithm in algorithms])
        problems.append(Problem("unknown-algorithm", f"there is no algorithm '{job.algorithm}'.", fix, "algorithm"))
    return algorithm


def _explicit(wanted: str, algorithm: Algorithm | None, features: list[Feature], known: Registry) -> _Choice:
    names = known.names()
    if wanted not in names:
        fix = did_you_mean(wanted, [*names, AUTO])
        return _Choice(problems=[Problem("unknown-backend", f"there is no backend '{wanted}'.", fix, "backend")])
    backend = known.get(wanted)
    problem = objection(backend, algorithm, features) if algorithm else _unusable(backend)
    choice = _Choice(backend, "the job names it")
    if problem:
        way_out = problem.fix or _way_out(algorithm, features, known)
        choice.problems.append(replace(problem, fix=way_out))
        # a backend that is absent is said even where it could not train the algorithm either
        unusable = _unusable(backend)
        if unusable and unusable != problem:
            choice.problems.append(unusable)
    if backend.ready and backend.reason:
        message = f"backend '{wanted}': {backend.reason}."
        choice.problems.append(Problem("backend-heavy", message, "", "backend", Severity.WARNING))
    choice.problems += process_problems(backend)
    return choice


def _way_out(algorithm: Algorithm | None, features: list[Feature], known: Registry) -> str:
    if algorithm is None:
        return ""
    able = [name for name, backend in known.all().items() if objection(backend, algorithm, features) is None]
    if able:
        return f"Use backend='{able[0]}'."
    install = _installs(algorithm, features, known)
    return f"No other backend here does; install one that may: {install}" if install else "No other backend here does."


def _installs(algorithm: Algorithm, features: list[Feature], known: Registry) -> str:
    """The command that installs a backend which may train this, empty if there is none."""
    for backend in known.all().values():
        may = backend.info is None or declared_objection(backend, algorithm, features) is None
        if backend.status is Status.MISSING and may:
            return backend.install
    return ""


def _choose(
    job: Job, algorithm: Algorithm | None, features: list[Feature], known: Registry, *, probe: bool, idle: set[str]
) -> _Choice:
    choice = _Choice()
    if algorithm is None:
        return choice
    reasons: list[str] = []
    able: list[Problem] = []
    for name, backend in known.all().items():
        objected = objection(backend, algorithm, features)
        problems = (
            [objected]
            if objected
            else [
                *process_problems(backend),
                *_key_problems(backend, job, idle),
                *_backend_problems(backend, job, known, probe=probe),
            ]
        )
        stopping = [problem for problem in problems if problem.severity is Severity.ERROR]
        if stopping:
            choice.rejected[name] = " ".join(f"{problem.message} {problem.fix}".rstrip() for problem in stopping)
            reasons.append(" ".join(problem.message for problem in stopping).rstrip("."))
            able += [] if objected or able else problems
        elif choice.backend is None:
            choice.backend, choice.problems = backend, problems
        else:
            choice.rejected[name] = f"'{choice.backend.name}' comes first"
    if choice.backend:
        choice.reason = "it is the first that supports the whole job here"
    elif able:
        # a backend could train this if the job were right: what is wrong with the job is the answer
        choice.problems = able
    else:
        message = f"no backend can run this job here: {'; '.join(reasons)}."
        install = _installs(algorithm, features, known)
        fix = f"Install one, e.g. with: {install}" if install else ""
        choice.problems.append(Problem("no-backend", message, fix, "backend"))
    return choice


def process_problems(backend: Backend) -> list[Problem]:
    """What was imported into this process that the backend can't live with."""
    import sys

    if backend.info is None:
        return []
    fix = "Start a fresh process for it: `aligntune train` does."
    problems = [
        Problem(
            "process-conflict",
            f"backend '{backend.name}' can't run in this process: '{module}' was imported in it.",
            fix,
            "backend",
        )
        for module in backend.info.conflicts
        if module in sys.modules
    ]
    for order in backend.info.import_order:
        early = [module for module in order.before if module in sys.modules]
        if early and order.first not in sys.modules:
            message = (
                f"backend '{backend.name}' has to import '{order.first}' before {', '.join(early)}, "
                "which this process has already imported."
            )
            problems.append(Problem("import-order", message, fix, "backend"))
    return problems


def _key_problems(backend: Backend, job: Job, idle: set[str]) -> list[Problem]:
    """The keys that the backend does not declare, but for those that were said to be idle already."""
    from aligntune_core.check.rules import CORE_KEYS

    if backend.info is None or backend.info.job_keys is None:
        return []
    taken = CORE_KEYS | backend.info.job_keys | idle
    return [
        Problem("unsupported-key", f"backend '{backend.name}' does not take '{key}'.", "Leave it out.", key)
        for key, value in job.settings().items()
        if key not in taken and value is not False
    ]


def _backend_problems(backend: Backend, job: Job, known: Registry, *, probe: bool) -> list[Problem]:
    return known.problems(backend, "aligntune_check_job", "checked the job", job=job, probe=probe)


def diagnosed(backend: Backend, known: Registry) -> list[Problem]:
    """What the backend itself says stands in the way of all its jobs, in this environment and process.

    Args:
        backend: The backend.
        known: The registry it is of.
    """
    return known.problems(backend, "aligntune_diagnose", "looked at the environment")
