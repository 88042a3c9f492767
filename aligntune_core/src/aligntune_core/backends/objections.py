"""What stands against a backend: what it does not declare, what is not installed, what this process has imported."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aligntune_core.algorithms import Task
from aligntune_core.backends.backend import KNOWN_BACKENDS, Status
from aligntune_core.backends.features import feature_key, feature_words, in_messages_order
from aligntune_core.capabilities import Feature, Support
from aligntune_core.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from aligntune_core.algorithms import Algorithm
    from aligntune_core.backends.backend import Backend
    from aligntune_core.backends.registry import Registry


def objection(backend: Backend, algorithm: Algorithm, features: Iterable[str]) -> Problem | None:
    """Why a backend, as it stands here, can't run an algorithm with these features; None if it can.

    Args:
        backend: The backend.
        algorithm: What it should train.
        features: What else is asked of it.
    """
    return declared_objection(backend, algorithm, features) or unusable(backend)


def declared_objection(backend: Backend, algorithm: Algorithm, features: Iterable[str]) -> Problem | None:
    """Why a backend does not declare that it trains an algorithm with these features; None if it does.

    Args:
        backend: The backend, usable here or not.
        algorithm: What it should train.
        features: What else is asked of it.
    """
    if backend.info is None:
        return unusable(backend)
    row = backend.info.capability(algorithm.name)
    if row.support is Support.UNSUPPORTED:
        message = f"backend '{backend.name}' does not train '{algorithm.name}': {row.note.rstrip('.')}."
        return Problem("unsupported-algorithm", message, "", "algorithm")
    lacking = in_messages_order(set(features) - row.features)
    if lacking:
        asked = ", ".join(map(feature_words, lacking))
        message = f"backend '{backend.name}' does not train '{algorithm.name}' {asked}."
        return Problem("unsupported-feature", message, "", feature_key(lacking[0]) or "backend")
    return None


def unusable(backend: Backend) -> Problem | None:
    """Why a backend can't be used in this environment, whatever it is asked for; None if it can."""
    if backend.status is Status.MISSING:
        standing = "can't be used here" if backend.info else "is not installed"
        message = f"backend '{backend.name}' {standing}: {backend.reason}."
        fix = f"Install it with: {backend.install}" if backend.install else _nowhere(backend)
        return Problem("backend-not-installed", message, fix, "backend")
    if backend.status is Status.BROKEN:
        fix = f"Mend or remove it: {backend.install}" if backend.install else "Mend or uninstall its distribution."
        return Problem("backend-broken", f"backend '{backend.name}' is broken: {backend.reason}.", fix, "backend")
    if backend.status is Status.DISABLED:
        message = f"backend '{backend.name}' is disabled: {backend.reason}."
        return Problem("backend-disabled", message, "Change that environment variable.", "backend")
    return None


def _nowhere(backend: Backend) -> str:
    """That no command is known which installs a backend, where it is one of this project's."""
    known = KNOWN_BACKENDS.get(backend.name)
    if known is None:
        return ""
    return f"{known.distribution} is on no package index: install it from AlignTune's wheels or from a checkout."


def feature_problems(algorithm: Algorithm | None, features: Collection[str]) -> Iterator[Problem]:
    """Why features that are asked for together have no meaning, whatever a backend declares.

    Args:
        algorithm: What is to be trained, None where that is not known.
        features: What is asked for beyond it, with the device.
    """
    if Feature.QLORA in features and Feature.CPU in features and Feature.CUDA not in features:
        yield Problem("precision", "'load_in_4bit' needs a CUDA GPU, not a CPU.", "Leave it out.", "load_in_4bit")
    # a plugin knows what its own tasks mean
    if Feature.PACKING in features and algorithm and algorithm.task in set(Task) - {Task.SFT}:
        yield Problem("no-effect", f"'packing' has no effect on '{algorithm.name}'.", "Leave it out.", "packing")


def process_problems(backend: Backend) -> list[Problem]:
    """What was imported into this process that the backend can't live with."""
    if backend.info is None or backend.environment:
        return []
    fix = "Use a fresh process: isolation='process' starts one, and `aligntune train` is one."
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


def diagnosed(backend: Backend, known: Registry) -> list[Problem]:
    """What the backend itself says stands in the way of all its jobs, in this environment and process.

    Args:
        backend: The backend.
        known: The registry it is of.
    """
    if backend.plugin is None:
        return known.ill(backend.name)
    return known.problems(backend, "aligntune_diagnose", "looked at the environment")
