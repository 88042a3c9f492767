"""How each backend stands: its packages, its device, what it says of itself, and which can't live together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aligntune_core.backends.backend import KNOWN_BACKENDS, Backend, Status
from aligntune_core.backends.installed import installed_version, normalised
from aligntune_core.backends.objections import diagnosed, process_problems
from aligntune_core.backends.origins import place_of
from aligntune_core.backends.requirements import unmet_requirements
from aligntune_core.capabilities import Feature, Support
from aligntune_core.doctor.finding import Finding, finding, from_problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.specifiers import SpecifierSet

    from aligntune_core.backends.registry import Registry


def standing_findings(known: Registry, device: str) -> Iterator[Finding]:
    """How every backend stands.

    Args:
        known: The backends.
        device: Where a job would run: ``cuda`` or ``cpu``.
    """
    backends = known.all()
    ranges = {name: requirement_rows(backend) for name, backend in backends.items()}
    for name, backend in backends.items():
        for note in backend.notes:
            yield from_problem(replace(note, message=f"backend '{name}': {note.message}."), name)
        told = diagnosed(backend, known) if backend.info is not None else []
        # what lives in another environment shares none of it
        rivals = {
            other: ranges[other]
            for other, rival in backends.items()
            if other != name and rival.status is Status.READY and not rival.environment
        }
        yield from _standing(backend, ranges[name], _apart(ranges[name], rivals))
        yield from _apart_findings(backend, ranges[name], rivals)
        if backend.info and backend.status in {Status.READY, Status.MISSING}:
            if not _trains_on(backend, device):
                yield _device(backend, device)
            for problem in (*process_problems(backend), *told):
                yield from_problem(problem, name)
    if all(
        backend.info is None and backend.status in {Status.MISSING, Status.DISABLED} for backend in backends.values()
    ):
        command = next((backend.install for backend in backends.values() if backend.install), "")
        yield finding("no-backend", "no backend is installed that may be used here.", command=command)


def requirement_rows(backend: Backend) -> list[dict[str, Any]]:
    """Each requirement of a backend: its range, the version that is installed, and whether that satisfies it.

    Args:
        backend: The backend; one whose plugin can't be read has none.
    """
    from packaging.requirements import Requirement

    rows = []
    for text in backend.info.requirements if backend.info else ():
        need = Requirement(text)
        if need.marker is None or need.marker.evaluate():
            there = backend.environment
            installed = there.found["packages"].get(normalised(need.name)) if there else installed_version(need.name)
            rows.append(
                {
                    "name": normalised(need.name),
                    "range": _range(need.specifier),
                    "installed": installed,
                    "satisfied": bool(there) or not unmet_requirements([text]),
                }
            )
    return rows


def _range(specifier: SpecifierSet) -> str:
    """The range as people write it: from the lowest version on."""
    return ",".join(sorted(str(specifier).split(","), key=lambda part: (not part.startswith(">"), part)))


def _standing(backend: Backend, rows: list[dict[str, Any]], apart: list[str]) -> Iterator[Finding]:
    name = backend.name
    facts = {"status": str(backend.status), "version": backend.version, "requirements": rows}
    if backend.status is Status.READY:
        told = ", ".join(f"{row['name']} {row['installed']} ({row['range'] or 'any'})" for row in rows)
        message = f"{name} {backend.version}".rstrip() + (f": {told}" if told else ": it needs no packages")
        if backend.environment:
            message += f"; in the environment '{backend.environment.name}'"
            facts["environment"] = backend.environment.name
        yield finding("backend-ready", message, subject=name, facts=facts)
        if backend.reason:
            yield finding("backend-heavy", f"backend '{name}': {backend.reason}.", fix=_REPORT, subject=name)
    elif backend.status is Status.MISSING and backend.info is None:
        message = f"{name} is not installed: {backend.install}" if backend.install else f"{name} is not installed"
        yield finding("backend-absent", message, command=backend.install, subject=name, facts=facts)
    elif backend.status is Status.MISSING:
        lacks = "; ".join(_lack(row) for row in rows if not row["satisfied"])
        fix = "In an environment of its own:" if apart else ""
        command = _own_environment(backend) if apart else backend.install
        message = f"backend '{name}' {backend.version}".rstrip() + f" lacks what it needs: {lacks}."
        yield finding("backend-unmet", message, fix=fix, command=command, subject=name, stops=(name,), facts=facts)
    elif backend.status is Status.DISABLED:
        variable = next((word for word in backend.reason.split() if word.startswith("ALIGNTUNE_")), "")
        command = f"unset {variable}" if variable else ""
        message = f"backend '{name}' is disabled: {backend.reason}."
        yield finding("backend-disabled", message, command=command, subject=name, facts=facts)
    else:
        message = f"backend '{name}' is broken: {backend.reason}."
        fix = "" if backend.install else _REPORT
        yield finding(
            "backend-broken", message, fix=fix, command=backend.install, subject=name, stops=(name,), facts=facts
        )


_REPORT = "Report it to the backend's authors."


def _lack(row: Mapping[str, Any]) -> str:
    there = f"{row['installed']} is installed" if row["installed"] else "not installed"
    return f"{row['name']}{row['range']} ({there})"


def _apart(rows: list[dict[str, Any]], rivals: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    """The backends that what is installed suits, where it does not suit this one."""
    unsuited = {row["name"] for row in rows if not row["satisfied"]}
    return [
        other for other, theirs in rivals.items() if any(row["name"] in unsuited and row["satisfied"] for row in theirs)
    ]


def _apart_findings(
    backend: Backend, rows: list[dict[str, Any]], rivals: Mapping[str, list[dict[str, Any]]]
) -> Iterator[Finding]:
    for other in _apart(rows, rivals):
        theirs = {row["name"]: row["range"] or "any version" for row in rivals[other]}
        told = "; ".join(
            f"{row['name']} {row['installed']} suits '{other}' ({theirs[row['name']]}), not '{backend.name}' "
            f"({row['range']})"
            for row in rows
            if row["installed"] and not row["satisfied"] and row["name"] in theirs
        )
        yield finding(
            "backends-apart",
            f"{told}.",
            fix="Give one an environment of its own:",
            command=_own_environment(backend),
            subject=f"{other}, {backend.name}",
        )


def _own_environment(backend: Backend) -> str:
    """The command that makes an environment for a backend; empty where its distribution is not known."""
    if backend.name in KNOWN_BACKENDS:
        return f"aligntune env create {backend.name}"
    distribution = backend.origin.partition(" ")[0]
    if not installed_version(distribution):  # one of this process alone
        return ""
    return f"aligntune env create {backend.name} --from {place_of(distribution)}"


def _trains_on(backend: Backend, device: str) -> bool:
    rows = backend.info.capabilities if backend.info else ()
    wanted = Feature.CUDA if device == "cuda" else Feature.CPU
    return any(row.support is not Support.UNSUPPORTED and wanted in row.features for row in rows)


def _device(backend: Backend, device: str) -> Finding:
    name = backend.name
    if device == "cuda":
        message = f"backend '{name}' declares nothing that it trains on NVIDIA GPUs, where jobs run here."
        fix, command = "To train on the CPU, hide the GPUs:", "export CUDA_VISIBLE_DEVICES="
    else:
        message = f"backend '{name}' declares nothing that it trains on a CPU, and no NVIDIA GPU can be used here."
        fix, command = (
            "Use it where there is such a GPU. What can be trained here:",
            "aligntune capabilities",
        )
    return finding("backend-device", message, fix=fix, command=command, subject=name, stops=(name,))
