"""The accelerators of this machine, found without importing an engine."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cuda_device_count() -> int:
    """How many NVIDIA GPUs this process may use; 0 where there is none or the driver doesn't answer."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        chosen = [part.strip() for part in visible.split(",") if part.strip()]
        if not chosen or chosen[0] == "-1":
            return 0
        return min(len(chosen), _installed() or 0)
    return _installed()


def device() -> str:
    """Where a job would run here: ``cuda`` or ``cpu``."""
    return "cuda" if cuda_device_count() else "cpu"


def _installed() -> int:
    if sys.platform == "linux":
        return len([path for path in Path("/dev").glob("nvidia[0-9]*") if path.name[6:].isdigit()]) or _listed()
    return _listed()


def _listed() -> int:
    import shutil
    import subprocess

    command = shutil.which("nvidia-smi")
    if command is None:
        return 0
    try:
        told = subprocess.run([command, "-L"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return sum(line.startswith("GPU ") for line in told.stdout.splitlines()) if told.returncode == 0 else 0
