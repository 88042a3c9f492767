"""What an environment says of the backends in it, asked by another one; the environment's own core answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.backends.installed import installed_version, normalised
from aligntune_core.backends.recorded import Recorded, to_values
from aligntune_core.backends.registry import Registry
from aligntune_core.capabilities import CONTRACT_VERSION

if TYPE_CHECKING:
    from aligntune_core.backends.backend import Backend


def testimony() -> dict[str, Any]:
    """The core's version and the contract's, each backend that is installed, and the versions of engines' packages."""
    known = Registry(environ={}, elsewhere={})
    backends = {name: backend for name, backend in known.all().items() if backend.origin}
    packages = dict.fromkeys(each for backend in backends.values() for each in _engine(backend))
    versions = {name: installed_version(name) for name in packages}
    return {
        "core": installed_version("aligntune-core") or "",
        "contract": CONTRACT_VERSION,
        "backends": {name: _told(backend, known) for name, backend in backends.items()},
        "packages": {name: version for name, version in versions.items() if version},
    }


def _told(backend: Backend, known: Registry) -> dict[str, Any]:
    told = {
        "status": str(backend.status),
        "version": backend.version,
        "reason": backend.reason,
        "origin": backend.origin,
    }
    if backend.info is None:
        return told
    recorded = Recorded(backend.info, known.brought(backend.name))
    return {**told, "recorded": to_values(recorded)}


def _engine(backend: Backend) -> list[str]:
    from packaging.requirements import Requirement

    return [normalised(Requirement(text).name) for text in (backend.info.requirements if backend.info else ())]
