"""Entries of a cache: folders that appear when they are whole, are held while a process uses them, and go when old."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LOCK = "in-use"
_MAKING = "making-"
_HELD: dict[Path, int] = {}
"""The open lock of each entry that this process uses; the system lets them go when the process ends."""


def find(folder: Path, name: str) -> Path | None:
    """An entry that is there, held from now on; None where there is none.

    Args:
        folder: The cache.
        name: The entry's name.
    """
    entry = folder / name
    if entry in _HELD and _is_locked_at(entry, _HELD[entry]):
        return entry
    try:
        lock = os.open(entry / _LOCK, os.O_RDONLY)
    except OSError:
        return None
    if not _locked(lock, exclusive=False) or not _is_locked_at(entry, lock):
        os.close(lock)
        return None
    _hold(entry, lock)
    try:
        os.utime(entry / _LOCK)
    except OSError:
        return entry  # a cache that may only be read has no order to keep
    return entry


def make(folder: Path, name: str, write: Callable[[Path], object]) -> Path:
    """Make an entry, which others see only when it is whole; held from now on.

    Args:
        folder: The cache.
        name: The entry's name.
        write: Writes its files into the folder it is given.

    Returns:
        The entry; that of another process, if it was faster.

    Raises:
        OSError: If nothing can be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder, prefix=_MAKING))
    lock = -1
    try:
        lock = os.open(made / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        _locked(lock, exclusive=False)
        made.chmod(0o777 & ~_umask())
        write(made)
        try:
            made.rename(folder / name)
        except OSError:
            other = find(folder, name)
            if other is None:
                raise
            os.close(lock)
            return other
    except BaseException:
        if lock >= 0:
            os.close(lock)
        raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    _hold(folder / name, lock)
    return folder / name


def discard(entry: Path) -> None:
    """Take an entry away, whoever uses it: it is damaged."""
    if entry in _HELD:
        os.close(_HELD.pop(entry))
    _remove(entry)


def trim(folder: Path, limit: int) -> None:
    """Take away the entries that were not used for longest until the rest fits; never one that a process holds.

    Args:
        folder: The cache.
        limit: How many bytes all entries may take together.
    """
    try:
        entries = sorted((_used(entry), entry) for entry in folder.iterdir() if entry.is_dir())
    except OSError:
        return
    sizes = {entry: _size(entry) for _, entry in entries}
    total = sum(sizes.values())
    for _, entry in entries:
        is_left_over = entry.name.startswith(_MAKING)
        if (total > limit or is_left_over) and _remove_unused(entry):
            total -= sizes[entry]


def _remove_unused(entry: Path) -> bool:
    if entry in _HELD:
        return False
    try:
        lock = os.open(entry / _LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        if not _locked(lock, exclusive=True):
            return False
        _remove(entry)
    finally:
        os.close(lock)
    return not entry.exists()


def _remove(entry: Path) -> None:
    try:
        # a name that nobody looks for, so that half an entry is never found
        gone = Path(tempfile.mkdtemp(dir=entry.parent, prefix=_MAKING))
        entry.rename(gone / entry.name)
    except OSError:
        shutil.rmtree(entry, ignore_errors=True)
    else:
        shutil.rmtree(gone, ignore_errors=True)


def _hold(entry: Path, lock: int) -> None:
    before = _HELD.pop(entry, None)
    if before is not None:
        os.close(before)
    _HELD[entry] = lock


def _locked(lock: int, *, exclusive: bool) -> bool:
    try:
        import fcntl
    except ImportError:  # without it nobody can know who uses an entry
        return not exclusive
    try:
        fcntl.flock(lock, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return not exclusive
    return True


def _is_locked_at(entry: Path, lock: int) -> bool:
    try:
        return os.path.samestat((entry / _LOCK).stat(), os.fstat(lock))
    except OSError:
        return False


def _used(entry: Path) -> float:
    try:
        return (entry / _LOCK).stat().st_mtime
    except OSError:
        return 0.0


def _size(entry: Path) -> int:
    total = 0
    for file in entry.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except OSError:
            continue
    return total


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
