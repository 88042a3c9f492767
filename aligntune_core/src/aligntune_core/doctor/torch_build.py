"""What the installed torch was built for, read from the file that says so and without importing it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aligntune_core.doctor.finding import Finding, finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aligntune_core.machine.devices import Gpu

_WHEELS = (((13, 0), "cu130"), ((12, 8), "cu128"), ((12, 6), "cu126"))
"""Builds of torch that its index has, newest first, by the CUDA they were made with."""

_FIRST_CUDA = (((10, 0), (12, 8)), ((8, 9), (11, 8)), ((8, 0), (11, 0)))
"""The CUDA version that first has code for GPUs from a compute capability on. Source: NVIDIA's CUDA release notes."""

_OLDEST_GPU = (((13, 0), (7, 5)), ((12, 0), (5, 0)))
"""The oldest compute capability that CUDA has code for from a version on. Source: the same."""


@dataclass(frozen=True, slots=True)
class TorchBuild:
    """A build of torch.

    Args:
        version: Its version, e.g. ``2.13.0+cpu``.
        cuda: The CUDA version it was built with; empty if with none.
        hip: The ROCm version it was built with; empty if with none.
    """

    version: str
    cuda: str = ""
    hip: str = ""

    @property
    def target(self) -> str:
        """What it was built for, in words."""
        if self.cuda:
            return f"CUDA {self.cuda}"
        return f"ROCm {self.hip}" if self.hip else "CPUs"


def torch_build(places: Sequence[str] | None = None) -> TorchBuild | None:
    """The torch that would be imported; None where there is none.

    Args:
        places: Where modules are looked for; ``sys.path`` if None.
    """
    for place in sys.path if places is None else places:
        try:
            text = Path(place, "torch", "version.py").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        version, cuda, hip = (
            re.search(rf"^{name}\b[^=\n]*=\s*['\"]([^'\"]+)['\"]", text, re.MULTILINE)
            for name in ("__version__", "cuda", "hip")
        )
        if version:
            return TorchBuild(version[1], cuda[1] if cuda else "", hip[1] if hip else "")
    return None


def torch_findings(
    build: TorchBuild | None, gpus: Sequence[Gpu], driver_cuda: str, stops: tuple[str, ...]
) -> Iterator[Finding]:
    """What torch was built for, and where that contradicts the GPUs or their driver.

    Args:
        build: The build; None where torch is not installed.
        gpus: The GPUs that jobs may use.
        driver_cuda: The newest CUDA version that the driver runs; empty if not known.
        stops: The backends that need torch.
    """
    if build is None:
        return
    facts = {"version": build.version, "cuda": build.cuda, "hip": build.hip}
    yield finding("torch", f"{build.version}, built for {build.target}", facts=facts)
    if not gpus or build.hip:
        return
    built, driver = _numbers(build.cuda), _numbers(driver_cuda)
    command = _install(driver)
    names = ", ".join(dict.fromkeys(gpu.name for gpu in gpus))
    if not built:
        message = f"there is a GPU here ({names}), and torch {build.version} is built for CPUs."
        yield finding("torch-cpu-build", message, command=command, stops=stops, facts=facts)
    # within one major version a driver runs what was built with a later minor one
    elif driver and built[0] > driver[0]:
        message = f"torch {build.version} is built for CUDA {build.cuda}, and the driver runs {driver_cuda} at most."
        fix = "Update the driver, or install a build for it:"
        yield finding("torch-newer-than-driver", message, fix=fix, command=command, stops=stops, facts=facts)
    for gpu in gpus:
        if built and gpu.capability and (reason := _without_code(gpu.capability, built)):
            message = (
                f"{gpu.name} has compute capability {_dotted(gpu.capability)}, and torch {build.version} is built for "
                f"CUDA {build.cuda}, {reason}."
            )
            yield finding("torch-without-gpu-code", message, command=command, stops=stops, facts=facts)
            break


def _without_code(capability: tuple[int, int], built: tuple[int, int]) -> str:
    needed = next((cuda for since, cuda in _FIRST_CUDA if capability >= since), (0, 0))
    if built < needed:
        return f"which came before it: it needs CUDA {_dotted(needed)}"
    oldest = next((least for since, least in _OLDEST_GPU if built >= since), (0, 0))
    return f"which has code from {_dotted(oldest)} on" if capability < oldest else ""


def _install(driver: tuple[int, int] | None) -> str:
    tag = next((tag for cuda, tag in _WHEELS if driver is None or cuda <= driver), _WHEELS[-1][1])
    return f"pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/{tag}"


def _numbers(version: str) -> tuple[int, int] | None:
    found = re.match(r"(\d+)(?:\.(\d+))?", version)
    return (int(found[1]), int(found[2] or 0)) if found else None


def _dotted(pair: tuple[int, int]) -> str:
    return f"{pair[0]}.{pair[1]}"
