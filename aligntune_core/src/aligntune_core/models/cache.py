"""How the folder of a model that AlignTune made gets to where it is kept, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aligntune_core.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable


def make_folder(folder: Path, write: Callable[[Path], None]) -> None:
    """Make a model's folder so that others see it only when it is whole.

    Args:
        folder: Where it is to be; a folder there without a ``config.json`` is replaced.
        write: Writes the model and its tokenizer into the folder it is given.

    Raises:
        ModelError: If nothing can be written there.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent))
    except OSError as error:
        raise ModelError(
            f"nothing can be written to '{folder.parent}': {error.strerror}.",
            fix="Set ALIGNTUNE_CACHE to a folder that can be written to.",
        ) from error
    try:
        write(made)
        # another process may have been faster, and its folder is the same
        if not (folder / "config.json").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
