"""What a plugin says of its backend, held against the contract and against what is installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aligntune_core.backends.backend import KNOWN_BACKENDS, Backend, Status
from aligntune_core.backends.claims import origin, version
from aligntune_core.backends.contract import check_algorithms, checked_info, job_key_notes
from aligntune_core.backends.meanings import clash_note, judged
from aligntune_core.backends.origins import install_command
from aligntune_core.backends.plain import plain
from aligntune_core.backends.recorded import Recorded
from aligntune_core.backends.requirements import unmet_requirements

if TYPE_CHECKING:
    from aligntune_core.algorithms import Algorithm
    from aligntune_core.backends.installed import EntryPoint
    from aligntune_core.environments.environment import Environment


@dataclass(frozen=True, slots=True)
class Accepted:
    """A backend that keeps the contract.

    Args:
        backend: The backend as it stands.
        said: What it says of itself, as it says it.
        brought: The algorithms that it brings and that hold.
    """

    backend: Backend
    said: Recorded
    brought: tuple[Algorithm, ...]


def accepted(
    name: str, told: Recorded, point: EntryPoint | None = None, environment: Environment | None = None
) -> Accepted:
    """A backend that says so of itself, as it stands here or in an environment of its own.

    Args:
        name: Its name.
        told: What it says.
        point: Its entry point, where it has one.
        environment: Where it lives, where that is not here.

    Raises:
        BackendError: If that breaks the contract.
        ValueError: If a requirement is none.
    """
    info = checked_info(name, plain(told.info))
    brought = tuple(map(plain, told.algorithms))
    check_algorithms(info, brought)
    unmet = [] if environment else unmet_requirements(info.requirements)
    said = Recorded(info, brought)
    info, brought, faults = judged(info, brought)
    notes = (*map(clash_note, faults), *job_key_notes(info))
    came = (version(point), origin(point)) if point else ("", "this process")
    if environment:
        there = environment.found["backends"][name]
        came = (str(there.get("version", "")), str(there.get("origin", "")))
    status, reason, install = Status.READY, "", ""
    if unmet:
        status, reason = Status.MISSING, f"it needs {'; '.join(unmet)}"
        lacking = [each for each in info.requirements if unmet_requirements([each])]
        # what one of this project's backends lacks, another one may not be able to live with
        own = f"aligntune env create {name}" if name in KNOWN_BACKENDS else install_command(lacking)
        install = info.install or own
    backend = Backend(
        name, status, came[0], reason, install, info, origin=came[1], notes=notes, environment=environment
    )
    return Accepted(backend, said, brought)
