"""The folder where AlignTune keeps what is made once and used again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Where what is made once is kept: ``$ALIGNTUNE_CACHE``, else ``aligntune`` in the user's cache folder."""
    named = os.environ.get("ALIGNTUNE_CACHE")
    if named:
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "aligntune"
