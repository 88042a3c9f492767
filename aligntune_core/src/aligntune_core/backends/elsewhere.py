"""A plugin that imports an engine, asked in a process of its own, so that this one stays free of the engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aligntune_core.backends.recorded import Recorded, from_values
from aligntune_core.errors import BackendError
from aligntune_core.problem import Problem

if TYPE_CHECKING:
    from aligntune_core.backends.installed import EntryPoint


_PROGRAM = "aligntune_core.backends.alone"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What a plugin says of itself in another process.

    Args:
        said: What it says.
        engines: The engines that importing it imports.
        notes: What is odd about it.
        ill: What it says stands in the way of all its jobs here.
    """

    said: Recorded
    engines: tuple[str, ...]
    notes: tuple[Problem, ...]
    ill: tuple[Problem, ...]


def asked_elsewhere(point: EntryPoint) -> Elsewhere:
    """Import a plugin in a process of its own, and ask it there.

    Args:
        point: Its entry point.

    Raises:
        BackendError: If it is broken.
    """
    done = subprocess.run(
        [sys.executable, "-P", "-m", _PROGRAM, point.name, point.value],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "ALIGNTUNE_PLUGINS": ""},
        check=False,
    )
    try:
        # what others write as the process ends comes after it
        told = json.loads(done.stdout.partition(b"\n")[0])
    except ValueError:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        message = f"its plugin '{point.value}' ends the process that imports it, with {done.returncode}: {last}"
        raise BackendError(message) from None
    if told["broken"]:
        raise BackendError(told["broken"])
    notes, ill = (tuple(Problem(**each) for each in told[key]) for key in ("notes", "ill"))
    return Elsewhere(from_values(told["said"]), tuple(told["engines"]), notes, ill)
