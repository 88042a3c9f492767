"""Backends that live in other environments, by what was recorded of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aligntune_core.backends.recorded import Recorded, RecordError, from_values
from aligntune_core.environments.environment import WITHIN
from aligntune_core.environments.known import environment_of, environments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aligntune_core.environments.environment import Environment


def backends_elsewhere(environ: Mapping[str, str] = os.environ) -> dict[str, Environment]:
    """The environment of each backend that lives in one.

    Args:
        environ: The variables of this process: in one that runs in such an environment, nothing is elsewhere.
    """
    if environ.get(WITHIN):
        return {}
    every = environments()
    names = dict.fromkeys(name for each in every for name in each.backends)
    return {name: found for name in names if (found := environment_of(name, every))}


def recorded_in(environment: Environment, name: str) -> Recorded:
    """What a backend said of itself when its environment was last looked at.

    Args:
        environment: The environment.
        name: The backend's name.

    Raises:
        RecordError: If this core can't read that.
    """
    told = environment.found["backends"][name]
    if "recorded" not in told:
        raise RecordError("nothing is recorded of what it says")
    return from_values(told["recorded"])
