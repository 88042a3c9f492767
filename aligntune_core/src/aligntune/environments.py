"""Environments of their own for backends: which there are, and making, adopting, checking and removing them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aligntune_core.environments.environment import Environment
    from aligntune_core.environments.holding import using
    from aligntune_core.environments.known import environment_named, environment_of, environments
    from aligntune_core.provisioning.examine import Examined, examine_all
    from aligntune_core.provisioning.keep import add, remove
    from aligntune_core.provisioning.make import create, update
    from aligntune_core.provisioning.request import Request
    from aligntune_core.provisioning.specification import Specification, specify

__all__ = [
    "Environment",
    "Examined",
    "Request",
    "Specification",
    "add",
    "create",
    "environment_named",
    "environment_of",
    "environments",
    "examine_all",
    "remove",
    "specify",
    "update",
    "using",
]

_HOMES = {
    "Environment": "environments.environment",
    "Examined": "provisioning.examine",
    "Request": "provisioning.request",
    "Specification": "provisioning.specification",
    "add": "provisioning.keep",
    "create": "provisioning.make",
    "environment_named": "environments.known",
    "environment_of": "environments.known",
    "environments": "environments.known",
    "examine_all": "provisioning.examine",
    "remove": "provisioning.keep",
    "specify": "provisioning.specification",
    "update": "provisioning.make",
    "using": "environments.holding",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"aligntune_core.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
