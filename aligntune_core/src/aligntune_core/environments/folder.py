"""The folder that environments are kept in, and the names that they may have."""

from __future__ import annotations

import os
import re

from aligntune_core.errors import SetupError

SETTING = "ALIGNTUNE_ENVIRONMENTS"
"""The environment variable that moves the folder."""


def environments_folder() -> str:
    """Where environments are kept: ``$ALIGNTUNE_ENVIRONMENTS``, else under the user's data folder."""
    named = os.environ.get(SETTING)
    if named:
        return os.path.abspath(os.path.expanduser(named))
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return os.path.join(data, "aligntune", "environments")


def checked_name(name: str) -> str:
    """The name, where an environment may have it.

    Args:
        name: A name that a user gave.

    Raises:
        SetupError: If it is none: it names a folder, and stands in commands.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise SetupError(
            f"'{name}' can't be the name of an environment.",
            fix="Use letters, digits, '-', '_' and '.', the first of them a letter or a digit.",
        )
    return name
