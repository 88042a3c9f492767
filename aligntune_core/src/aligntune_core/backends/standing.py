"""What a backend needs before it can be used, asked one after the other: what it declares is not what works here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aligntune_core.backends.backend import KNOWN_BACKENDS, Status, met_requirements
from aligntune_core.capabilities import Feature, Support

if TYPE_CHECKING:
    from aligntune_core.backends.backend import Backend

QUESTIONS: dict[str, str] = {
    "installed": "its distribution is installed",
    "plugin": "its plugin can be imported and keeps the contract",
    "engine": "the packages of its engine are installed in versions that it can use",
    "device": "a device that it trains on is here",
}
"""What is asked of every backend, in this order."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One thing that a backend needs here, and whether it is there.

    Args:
        question: One of ``QUESTIONS``.
        yes: Whether it is so; None where what comes before it keeps that from being known.
        reason: Why, in a few words.
    """

    question: str
    yes: bool | None
    reason: str


def standing_of(backend: Backend) -> tuple[Standing, ...]:
    """The answer to each of ``QUESTIONS``; all are yes where the backend can be used here.

    Args:
        backend: The backend as the registry found it.
    """
    return (_installed(backend), _plugin(backend), _engine(backend), _device(backend))


def _installed(backend: Backend) -> Standing:
    if backend.origin:
        return Standing("installed", True, backend.origin)
    owner = KNOWN_BACKENDS.get(backend.name)
    return Standing("installed", False, f"{owner.distribution} is not installed" if owner else backend.reason)


def _plugin(backend: Backend) -> Standing:
    if not backend.origin:
        return Standing("plugin", None, "not known while it is not installed")
    if backend.status is Status.DISABLED:
        return Standing("plugin", None, f"not imported: {backend.reason}")
    if backend.status is Status.BROKEN:
        return Standing("plugin", False, backend.reason)
    return Standing("plugin", True, (backend.ready and backend.reason) or "it keeps the contract")


def _engine(backend: Backend) -> Standing:
    if backend.info is None:
        return Standing("engine", None, "not known without its plugin")
    if backend.status is Status.MISSING:
        return Standing("engine", False, backend.reason)
    return Standing("engine", True, ", ".join(met_requirements(backend.info.requirements)) or "it needs no package")


def _device(backend: Backend) -> Standing:
    if backend.info is None:
        return Standing("device", None, "not known without its plugin")
    rows = [row.features for row in backend.info.capabilities if row.support is not Support.UNSUPPORTED]
    devices = [device for device in (Feature.CPU, Feature.CUDA) if any(device in features for features in rows)]
    if not devices:
        return Standing("device", False, "it declares no algorithm on a CPU or a CUDA GPU")
    if len(devices) == 2:
        return Standing("device", True, "it trains on a CPU and on a CUDA GPU")
    from aligntune_core.machine.devices import device

    here = device()
    if devices == [Feature.CUDA]:
        reason = "a CUDA GPU is here" if here in devices else "it trains on a CUDA GPU only, and none is here"
    else:
        reason = "a CPU is here" if here in devices else "it trains on a CPU only, and jobs run on the CUDA GPU here"
    return Standing("device", here in devices, reason)
