"""What is known of each backend here and now: what it declares is not what works here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from aligntune_core.backends.requirements import met_requirements, required_names
from aligntune_core.capabilities import Feature, Support

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aligntune_core.capabilities import BackendInfo
    from aligntune_core.environments.environment import Environment
    from aligntune_core.problem import Problem


class Status(StrEnum):
    """Whether a backend can be used here."""

    READY = "ready"
    MISSING = "missing"
    BROKEN = "broken"
    DISABLED = "disabled"


QUESTIONS: dict[str, str] = {
    "installed": "its distribution is installed",
    "plugin": "its plugin can be imported and keeps the contract",
    "engine": "the packages of its engine are installed in versions that it can use",
    "device": "a device that it trains on is here",
}
"""What is asked of every backend, in this order."""


class Standing(NamedTuple):
    """One thing that a backend needs here, and whether it is there.

    Args:
        question: One of ``QUESTIONS``.
        yes: Whether it is so; None where what comes before it keeps that from being known.
        reason: Why, in a few words.
    """

    question: str
    yes: bool | None
    reason: str


@dataclass(frozen=True, slots=True)
class Backend:
    """One backend as it stands in this environment.

    Args:
        name: Its name.
        status: Whether it can be used: ``missing`` when it or a package it needs is not installed in a version it
            can use, ``broken`` when its plugin fails or breaks the contract, ``disabled`` by the user's settings.
        version: The version of its distribution, empty when not installed.
        reason: Why it can't be used, or what is wrong with it; empty when all is well.
        install: The command that would make it usable, where there is one.
        info: What its plugin declares, where that could be read.
        plugin: The plugin itself; None where it was not imported, or can't be.
        cause: The exception behind a ``broken`` status.
        origin: Where its plugin comes from: a distribution with its version, or this process; empty when not installed.
        notes: What is odd about its plugin and keeps nobody from using it.
        environment: The environment of its own that it lives in; None where that is the running one.
    """

    name: str
    status: Status
    version: str = ""
    reason: str = ""
    install: str = ""
    info: BackendInfo | None = None
    plugin: Any = None
    cause: BaseException | None = None
    origin: str = ""
    notes: tuple[Problem, ...] = ()
    environment: Environment | None = None

    @property
    def ready(self) -> bool:
        """Whether it can be used."""
        return self.status is Status.READY

    @property
    def standing(self) -> tuple[Standing, ...]:
        """The answer to each of ``QUESTIONS``; none is no where the backend can be used here."""
        return (_installed(self), _plugin(self), _engine(self), _device(self))

    def to_dict(self) -> dict[str, Any]:
        """How the backend stands here, as JSON-ready values."""
        return {
            "status": str(self.status),
            "version": self.version,
            "reason": self.reason,
            "install": self.install,
            "notes": [f"{note.message}." for note in self.notes],
            "environment": self.environment.name if self.environment else "",
            "standing": {each.question: {"yes": each.yes, "reason": each.reason} for each in self.standing},
        }


class KnownBackend(NamedTuple):
    """A backend of this project.

    Args:
        distribution: Its distribution, which owns the name.
        needs: The other distributions of this project that it needs.
    """

    distribution: str
    needs: tuple[str, ...] = ("aligntune-core",)

    @property
    def distributions(self) -> tuple[str, ...]:
        """All of this project's distributions that make the backend, each after those that it needs."""
        return (*self.needs, self.distribution)


KNOWN_BACKENDS = {
    "trl": KnownBackend("aligntune-trl"),
    "unsloth": KnownBackend("aligntune-unsloth", ("aligntune-core", "aligntune-trl")),
}

AUTO_ORDER = ("trl", "unsloth")
"""The order in which ``backend="auto"`` prefers backends; others follow by name."""


def by_preference(names: Iterable[str]) -> list[str]:
    """Backend names in the order in which ``backend="auto"`` prefers them."""
    rank = {name: index for index, name in enumerate(AUTO_ORDER)}
    return sorted(names, key=lambda name: (rank.get(name, len(rank)), name))


def _installed(backend: Backend) -> Standing:
    if backend.environment and backend.ready:
        return Standing("installed", True, f"{backend.origin}, in the environment '{backend.environment.name}'")
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
    if backend.environment:
        return Standing("plugin", True, "it kept the contract when its environment was looked at")
    if backend.plugin is None and backend.info is not None:
        return Standing("plugin", None, "not imported: what its distribution recorded of it was read")
    return Standing("plugin", True, (backend.ready and backend.reason) or "it keeps the contract")


def _engine(backend: Backend) -> Standing:
    if backend.info is None:
        return Standing("engine", None, "not known without its plugin")
    if backend.status is Status.MISSING:
        return Standing("engine", False, backend.reason)
    if backend.environment:
        packages = backend.environment.found.get("packages", {})
        needs = required_names(backend.info.requirements)
        told = ", ".join(f"{name} {packages[name]}" for name in needs if name in packages)
        return Standing("engine", True, told or "it needs no package")
    return Standing("engine", True, ", ".join(met_requirements(backend.info.requirements)) or "it needs no package")


def _device(backend: Backend) -> Standing:
    if backend.info is None:
        return Standing("device", None, "not known without its plugin")
    rows = [row.features for row in backend.info.capabilities if row.support is not Support.UNSUPPORTED]
    devices = [each for each in (Feature.CPU, Feature.CUDA) if any(each in features for features in rows)]
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
