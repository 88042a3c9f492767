"""What the rows that are made depend on besides the data: the code that makes them."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def row_code(folder: Path = _FOLDER) -> str:
    """A digest of the text of all modules that read, convert and keep rows, and of the versions of their libraries.

    Args:
        folder: Where the modules are.
    """
    digest = blake2b(digest_size=16)
    for file in sorted(folder.rglob("*.py")):
        digest.update(f"{file.relative_to(folder)}\0".encode())
        digest.update(file.read_bytes())
    for package in ("aligntune-core", "datasets", "pyarrow"):
        try:
            digest.update(f"{package} {version(package)}\0".encode())
        except PackageNotFoundError:
            continue
    return digest.hexdigest()
