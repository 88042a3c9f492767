"""What two processes tell each other first, and whether they can work together."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from aligntune_core import __version__
from aligntune_core.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROTOCOL = 1
"""The version of what crosses between the processes, raised with every change of it."""


def greeting() -> dict[str, Any]:
    """The first frame that a process sends."""
    return {
        "core": __version__,
        "protocol": PROTOCOL,
        "python": ".".join(map(str, sys.version_info[:3])),
        "pid": os.getpid(),
    }


def expect_same(told: Mapping[str, Any], interpreter: str) -> None:
    """Refuse a process that speaks something else.

    Args:
        told: Its greeting.
        interpreter: The interpreter that it runs in, for messages.

    Raises:
        BackendError: If its protocol, or the release of its core, is another than this process's.
    """
    own = greeting()
    fix = "Install the same version of AlignTune in both environments."
    if told.get("protocol") != PROTOCOL:
        raise BackendError(
            f"the process in '{interpreter}' speaks protocol {told.get('protocol')} (aligntune-core "
            f"{told.get('core')}), and this one {PROTOCOL} (aligntune-core {own['core']}).",
            fix=fix,
            code="process-version",
        )
    if _release(str(told.get("core"))) != _release(own["core"]):
        raise BackendError(
            f"the process in '{interpreter}' has aligntune-core {told.get('core')}, and this one {own['core']}.",
            fix=fix,
            code="process-version",
        )


def _release(version: str) -> tuple[str, ...]:
    """The part of a version in which a patch changes nothing."""
    return tuple(version.split(".")[:2])
