"""The machine: its system, Python, CPU cores and memory."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aligntune_core.backends.installed import installed_version
from aligntune_core.doctor.finding import Finding, finding
from aligntune_core.wording import GIB, gib

if TYPE_CHECKING:
    from collections.abc import Iterator

LITTLE_MEMORY = 2 * GIB


def machine_findings(root: Path = Path("/")) -> Iterator[Finding]:
    """What the machine is.

    Args:
        root: Where ``proc`` and ``sys`` are.
    """
    yield system_finding()
    count = cores(root)
    yield finding("cores", f"{count} CPU core{'s' * (count != 1)}", facts={"cores": count})
    yield memory_finding(*memory(root))


def system_finding() -> Finding:
    """The system, the Python that runs, and AlignTune's version."""
    import platform

    system = " ".join(filter(None, (platform.system(), platform.release(), platform.machine())))
    python = platform.python_version()
    version = installed_version("aligntune-core") or ""
    own = sys.prefix != sys.base_prefix
    place = f"{sys.executable or 'an unknown place'}{'' if own else ', in no virtual environment'}"
    return finding(
        "system",
        f"{system}; Python {python} ({place}); AlignTune {version or 'of no known version'}",
        facts={
            "system": system,
            "python": python,
            "executable": sys.executable,
            "virtual_environment": own,
            "aligntune": version,
        },
    )


def cores(root: Path = Path("/")) -> int:
    """The CPU cores that this process may use, a container's share rounded up.

    Args:
        root: Where ``sys`` is.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _text(root / "sys/fs/cgroup/cpu.max").partition(" ")
    if quota.isdecimal() and period.strip().isdecimal() and int(period):
        allowed = min(allowed, max(1, -(-int(quota) // int(period))))
    return allowed


def memory(root: Path = Path("/")) -> tuple[int | None, int | None]:
    """Memory in bytes, in all and available; a container's share where it has one. None where it is not known.

    Args:
        root: Where ``proc`` and ``sys`` are.
    """
    lines = dict(line.split(":", 1) for line in _text(root / "proc/meminfo").splitlines() if ":" in line)
    total, available = (_kibibytes(lines.get(name, "")) for name in ("MemTotal", "MemAvailable"))
    if total is None and "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    share, used = (_text(root / "sys/fs/cgroup" / name).strip() for name in ("memory.max", "memory.current"))
    if share.isdecimal() and (total is None or int(share) < total):
        total = int(share)
        left = max(0, total - int(used)) if used.isdecimal() else total
        available = left if available is None else min(available, left)
    return total, available


def memory_finding(total: int | None, available: int | None) -> Finding:
    """What there is of memory.

    Args:
        total: Bytes in all; None if not known.
        available: Bytes that a new process may take; None if not known.
    """
    message = f"{gib(total)}, {gib(available)} available"
    facts = {"total_bytes": total, "available_bytes": available}
    least = available if available is not None else total
    if least is None or least >= LITTLE_MEMORY:
        return finding("memory", message, facts=facts)
    fix = "End other programs; these take the most:"
    return finding("memory-low", f"{message}.", fix=fix, command="ps aux --sort=-rss | head", facts=facts)


def _kibibytes(text: str) -> int | None:
    number = text.split()[:1]
    return int(number[0]) * 1024 if number and number[0].isdecimal() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
