"""Where what comes from the hub is kept, found as huggingface_hub finds it and without importing it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from aligntune_core.doctor.finding import Finding, finding
from aligntune_core.wording import gib

MOST_SECONDS = 0.5


def hub_home() -> Path:
    """The folder of everything that huggingface_hub writes: ``$HF_HOME``, or one in the user's cache."""
    named = os.environ.get("HF_HOME") or os.path.join(  # noqa: PTH118 expanded below
        os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface"
    )
    return _expanded(named)


def hub_cache() -> Path:
    """The folder of the models and datasets of the hub."""
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    return _expanded(named) if named else hub_home() / "hub"


def cache_finding() -> Finding:
    """Where the cache is, how much is in it, and how many models."""
    folder = hub_cache()
    if not folder.is_dir():
        facts = {"path": str(folder), "bytes": 0, "models": 0, "whole": True}
        return finding("hub-cache", f"{folder} is not there yet", facts=facts)
    models = sum(1 for _ in folder.glob("models--*"))
    size, whole = size_of(folder)
    told = f"{'' if whole else 'at least '}{gib(size)}"
    facts = {"path": str(folder), "bytes": size, "models": models, "whole": whole}
    return finding("hub-cache", f"{told} and {models} model{'s' * (models != 1)} in {folder}", facts=facts)


def size_of(folder: Path, seconds: float = MOST_SECONDS) -> tuple[int, bool]:
    """The bytes in a folder and those below it, links not followed, and whether that is all of them.

    Args:
        folder: The folder.
        seconds: How long to look.
    """
    end = time.monotonic() + seconds
    size, waiting = 0, [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if time.monotonic() > end:
                        return size, False
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        size += entry.stat(follow_symlinks=False).st_size
        except OSError:  # it may not be read, or is gone by now
            continue
    return size, True


def _expanded(text: str) -> Path:
    return Path(os.path.expandvars(text)).expanduser()
