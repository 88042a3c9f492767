"""Where in a user's code an exception came from."""

from __future__ import annotations

import traceback
from pathlib import Path

_HERE = Path(__file__).parent


def described(error: BaseException) -> str:
    """An exception with its place, as ``TypeError: text (file.py, line 3)``.

    The place is the innermost line of the file that this package called or imported, and missing where the call itself
    failed.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{type(error).__name__}: {error.msg} ({Path(error.filename).name}, line {error.lineno})"
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_machinery(frame.filename)]
    lines = [frame.lineno for frame in frames if frame.filename == frames[0].filename]
    return f"{what} ({Path(frames[0].filename).name}, line {lines[-1]})" if frames else what


def _is_machinery(filename: str) -> bool:
    return filename.startswith("<frozen") or "importlib" in Path(filename).parts or Path(filename).parent == _HERE
