"""The NVIDIA GPUs, and what a job may use of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.doctor.finding import Finding, finding
from aligntune_core.machine.devices import visible
from aligntune_core.wording import gib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.machine.devices import Gpu, Nvidia

_HIDING = "CUDA_VISIBLE_DEVICES"


def gpu_findings(nvidia: Nvidia, chosen: str | None, stops: tuple[str, ...]) -> Iterator[Finding]:
    """What the GPUs are and what keeps jobs from them.

    Args:
        nvidia: What the driver tells.
        chosen: What ``CUDA_VISIBLE_DEVICES`` says; None if it is not set.
        stops: The backends that can't train where jobs are meant for a GPU that can't be used.
    """
    if nvidia.fault:
        yield finding(
            "gpu-driver",
            f"the driver of the NVIDIA GPUs does not answer: {nvidia.fault.rstrip('.')}.",
            fix="Load or reinstall the driver (in a container, pass the GPUs in: --gpus all) until this lists them; "
            "to train on the CPU, set CUDA_VISIBLE_DEVICES to nothing.",
            command="nvidia-smi",
            stops=stops,
        )
        return
    if not nvidia.gpus:
        yield finding("no-gpu", "no NVIDIA GPU; the CPU trains in fp32, in bf16 where a job asks for it, not in fp16")
        return
    used = visible(nvidia.gpus, chosen)
    for gpu in nvidia.gpus:
        yield _gpu(gpu, nvidia, hidden=gpu not in used)
    for gpu in used:
        if gpu.memory and gpu.free is not None and gpu.free < gpu.memory / 2:
            yield finding(
                "gpu-busy",
                f"GPU {gpu.index} has {gib(gpu.free)} free of {gib(gpu.memory)}.",
                fix="See whose programs use it, or take another GPU:",
                command="nvidia-smi",
                subject=str(gpu.index),
            )
    if not used:
        yield finding(
            "gpu-hidden",
            f"{_HIDING} is '{chosen}', which names none of the GPUs here: "
            f"{', '.join(str(gpu.index) for gpu in nvidia.gpus)}.",
            fix="If jobs are meant to use them:",
            command=f"unset {_HIDING}",
            stops=stops,
        )


def _gpu(gpu: Gpu, nvidia: Nvidia, *, hidden: bool) -> Finding:
    capability = f"{gpu.capability[0]}.{gpu.capability[1]}" if gpu.capability else ""
    parts = [
        f"{gpu.index}: {gpu.name}, {gib(gpu.memory)} ({gib(gpu.free)} free)",
        f"compute capability {capability}" if capability else "",
        ", ".join(gpu.precisions),
        f"driver {nvidia.driver}" + (f" for CUDA {nvidia.cuda}" if nvidia.cuda else ""),
        f"hidden by {_HIDING}" if hidden else "",
    ]
    return finding(
        "gpu",
        "; ".join(filter(None, parts)),
        subject=str(gpu.index),
        facts={
            "index": gpu.index,
            "name": gpu.name,
            "memory_bytes": gpu.memory,
            "free_bytes": gpu.free,
            "compute_capability": capability,
            "precisions": list(gpu.precisions),
            "driver": nvidia.driver,
            "cuda": nvidia.cuda,
            "visible": not hidden,
        },
    )
