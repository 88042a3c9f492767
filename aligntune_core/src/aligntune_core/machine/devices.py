"""The accelerators of this machine, found without importing an engine."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

ANSWER_SECONDS = 10
"""How long the driver's program may take to answer."""

BF16_CAPABILITY = (8, 0)
"""The compute capability from which a GPU calculates in bf16."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One NVIDIA GPU as its driver describes it; None stands for what the driver does not tell.

    Args:
        index: Its number among all GPUs of the machine.
        uuid: Its lasting name, ``GPU-...``.
        name: Its model.
        memory: Its memory in bytes.
        free: How much of that nobody uses, in bytes.
        capability: Its compute capability, e.g. ``(9, 0)``.
    """

    index: int
    uuid: str
    name: str
    memory: int | None = None
    free: int | None = None
    capability: tuple[int, int] | None = None

    @property
    def precisions(self) -> tuple[str, ...]:
        """The arithmetic it trains in, best first."""
        bf16 = self.capability is None or self.capability >= BF16_CAPABILITY
        return ("bf16", "fp16", "fp32") if bf16 else ("fp16", "fp32")


@dataclass(frozen=True, slots=True)
class Nvidia:
    """The NVIDIA GPUs of this machine and their driver.

    Args:
        gpus: All of them, those hidden by ``CUDA_VISIBLE_DEVICES`` too.
        driver: The driver's version; empty where there is none.
        cuda: The newest CUDA version that the driver runs; empty where it is not known.
        fault: Why the driver could not be asked; empty where it answered, or where there is no trace of one.
    """

    gpus: tuple[Gpu, ...] = ()
    driver: str = ""
    cuda: str = ""
    fault: str = ""


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


def nvidia() -> Nvidia:
    """What the driver's program ``nvidia-smi`` tells of the GPUs; takes as long as that does, often a second."""
    import shutil

    command = shutil.which("nvidia-smi")
    if command is None:
        return Nvidia(fault="nvidia-smi is not installed" if _installed() else "")
    fields = "index,uuid,name,memory.total,memory.free,driver_version"
    # old drivers do not know compute_cap, and say nothing at all when they are asked for it
    told, fault = _ask(command, f"--query-gpu={fields},compute_cap", "--format=csv,noheader,nounits")
    if fault and "not a valid field" in fault:
        told, fault = _ask(command, f"--query-gpu={fields}", "--format=csv,noheader,nounits")
    if fault:
        # its reason for having no GPU to speak of is no fault of anything
        return Nvidia(fault="" if "no devices were found" in fault.lower() and not _installed() else fault)
    header, _ = _ask(command)
    version = re.search(r"CUDA (?:UMD )?Version\s*:\s*(\d+(?:\.\d+)?)", header)
    rows = [[cell.strip() for cell in line.split(",")] for line in told.splitlines() if line.count(",") >= 5]
    gpus = tuple(_gpu(row) for row in rows if row[0].isdecimal())
    return Nvidia(gpus, rows[0][5] if gpus else "", version[1] if version else "")


def visible(gpus: tuple[Gpu, ...], chosen: str | None) -> tuple[Gpu, ...]:
    """The GPUs that a process may use, as CUDA reads its setting: all that are named before the first mistake.

    Args:
        gpus: All GPUs of the machine.
        chosen: What ``CUDA_VISIBLE_DEVICES`` says; None if it is not set.
    """
    # a slice of a GPU has a uuid of its own, which does not say whose slice it is
    if chosen is None or chosen.strip().startswith("MIG-"):
        return gpus
    found: list[Gpu] = []
    for part in (part.strip() for part in chosen.split(",")):
        # the beginning of a uuid is enough for CUDA, if it is that of one GPU alone
        named = [gpu for gpu in gpus if part == str(gpu.index) or (part[:4] == "GPU-" and gpu.uuid.startswith(part))]
        if len(named) != 1 or named[0] in found:
            break
        found += named
    return tuple(found)


def _gpu(row: list[str]) -> Gpu:
    index, uuid, name, memory, free, _, *rest = row
    capability = re.fullmatch(r"(\d+)\.(\d+)", rest[0]) if rest else None
    pair = (int(capability[1]), int(capability[2])) if capability else None
    return Gpu(int(index), uuid, name, _mebibytes(memory), _mebibytes(free), pair)


def _mebibytes(text: str) -> int | None:
    return int(text) * 2**20 if text.isdecimal() else None


def _installed() -> int:
    if sys.platform == "linux":
        return len([path for path in Path("/dev").glob("nvidia[0-9]*") if path.name[6:].isdigit()]) or _listed()
    return _listed()


def _listed() -> int:
    import shutil

    command = shutil.which("nvidia-smi")
    told, fault = _ask(command, "-L") if command else ("", "")
    return 0 if fault else sum(line.startswith("GPU ") for line in told.splitlines())


def _ask(*command: str) -> tuple[str, str]:
    """What a program says, and why it did not where it failed."""
    import subprocess

    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return "", f"nvidia-smi did not answer within {ANSWER_SECONDS} seconds"
    except OSError as error:
        return "", f"nvidia-smi can't be run: {error.strerror}"
    if told.returncode:
        words = " ".join(f"{told.stdout} {told.stderr}".split())
        return "", words[:300] or f"nvidia-smi ended with exit code {told.returncode}"
    return told.stdout, ""
