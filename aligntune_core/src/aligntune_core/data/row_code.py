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
        folder: Where the modules are; one module's file for that alone.
    """
    digest = blake2b(digest_size=16)
    for file in sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]:
        digest.update(f"{file.relative_to(folder)}\0".encode())
        digest.update(file.read_bytes())
    digest.update(repr(versions("aligntune-core", "datasets", "pyarrow")).encode())
    return digest.hexdigest()


def versions(*packages: str) -> list[str]:
    """The versions of packages, each empty where the package is not installed.

    Args:
        *packages: Their names.
    """
    return [_version(package) for package in packages]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
