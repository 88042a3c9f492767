"""The disks that models and runs are written to."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from aligntune_core.doctor.finding import Finding, finding
from aligntune_core.doctor.hub_cache import hub_cache
from aligntune_core.machine.cache_folder import cache_folder
from aligntune_core.machine.disk import existing
from aligntune_core.wording import GIB, gib

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LITTLE_SPACE = 5 * GIB
_MOVES = {
    "the hub's cache": "export HF_HOME=FOLDER_ON_A_LARGER_DISK",
    "AlignTune's cache": "export ALIGNTUNE_CACHE=FOLDER_ON_A_LARGER_DISK",
    "the working folder": "cd FOLDER_ON_A_LARGER_DISK",
}


def disk_findings(places: Mapping[str, Path] | None = None) -> Iterator[Finding]:
    """How much space is left, said once for each disk, and which folders can't be written to.

    Args:
        places: The folders by what they are; those that AlignTune writes to if None.
    """
    folders = places or {
        "the working folder": Path.cwd(),
        "the hub's cache": hub_cache(),
        "AlignTune's cache": cache_folder(),
    }
    disks: dict[int, list[str]] = {}
    for name, folder in folders.items():
        there = existing(folder)
        if not os.access(there, os.W_OK | os.X_OK):
            yield finding(
                "folder-unwritable",
                f"{name}, {folder}, can't be written to.",
                fix="Use another folder:",
                command=_MOVES.get(name, "").replace("ON_A_LARGER_DISK", "OF_YOURS"),
                subject=name,
                facts={"path": str(folder)},
            )
        disks.setdefault(there.stat().st_dev, []).append(name)
    for names in disks.values():
        yield _space(names, folders)


def _space(names: list[str], folders: Mapping[str, Path]) -> Finding:
    free = shutil.disk_usage(existing(folders[names[0]])).free
    told = ", ".join(f"{name} ({folders[name]})" for name in names)
    message = f"{gib(free)} free for {told}"
    facts = {"free_bytes": free, "paths": {name: str(folders[name]) for name in names}}
    if free >= LITTLE_SPACE:
        return finding("disk", message, subject=", ".join(names), facts=facts)
    return finding(
        "disk-low",
        f"{message}.",
        fix="Free some, or use another disk:",
        command=_MOVES.get(names[-1], ""),
        subject=", ".join(names),
        facts=facts,
    )
