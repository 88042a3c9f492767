"""Who makes an environment and who uses it: locks that the system lets go when a process ends, however it ends."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aligntune_core.environments.folder import environments_folder
from aligntune_core.environments.known import environment_named
from aligntune_core.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aligntune_core.environments.environment import Environment

IN_USE = "in-use"
_LOCKS = ".locks"
_PAUSE = 0.2


@contextmanager
def making(name: str, waiting: Callable[[], object] = lambda: None) -> Iterator[int]:
    """Be the only one that makes, changes or removes an environment; whoever comes second waits.

    Args:
        name: The environment's name.
        waiting: Called once where somebody else is at it.

    Yields:
        The lock's file descriptor: a child process that inherits it keeps it, also when this process is killed.

    Raises:
        SetupError: If nothing can be written where environments are kept.
    """
    folder = os.path.join(environments_folder(), _LOCKS)
    try:
        os.makedirs(folder, exist_ok=True)
        lock = os.open(os.path.join(folder, name), os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise SetupError(
            f"nothing can be written to '{environments_folder()}', where environments are kept: "
            f"{error.strerror or error}.",
            fix="Set ALIGNTUNE_ENVIRONMENTS to a folder of yours.",
        ) from error
    try:
        if not _locked(lock, exclusive=True):
            waiting()
            while not _locked(lock, exclusive=True):
                time.sleep(_PAUSE)
        yield lock
    finally:
        os.close(lock)


def is_being_made(name: str) -> bool:
    """Whether a process makes, changes or removes the environment now."""
    try:
        lock = os.open(os.path.join(environments_folder(), _LOCKS, name), os.O_RDWR)
    except OSError:
        return False
    try:
        return not _locked(lock, exclusive=False)
    finally:
        os.close(lock)


@contextmanager
def using(name: str) -> Iterator[tuple[Environment, int]]:
    """Use an environment: while this goes on, nobody removes it, and an update leaves it where it is.

    Args:
        name: The environment's name.

    Yields:
        The environment, and a file descriptor: a child process that inherits it keeps the environment too.

    Raises:
        SetupError: If there is none, or it is being removed.
    """
    environment = environment_named(name)
    lock = _hold(environment)
    try:
        now = environment_named(name)
        if now.generation != environment.generation:
            os.close(lock)
            environment, lock = now, _hold(now)
        yield environment, lock
    finally:
        os.close(lock)


@contextmanager
def unused(place: str) -> Iterator[bool]:
    """Whether nobody uses a generation of an environment; nobody begins to meanwhile if so.

    Args:
        place: The generation's folder.
    """
    try:
        lock = os.open(os.path.join(place, IN_USE), os.O_RDWR | os.O_CREAT, 0o644)
    except FileNotFoundError:
        yield True
        return
    try:
        yield _locked(lock, exclusive=True)
    finally:
        os.close(lock)


def _hold(environment: Environment) -> int:
    try:
        lock = os.open(os.path.join(environment.place, IN_USE), os.O_RDONLY)
    except OSError as error:
        raise SetupError(
            f"the environment '{environment.name}' can't be used: {error.strerror or error}.",
            fix=f"Look at it with: aligntune env check {environment.name}",
        ) from error
    if not _locked(lock, exclusive=False):
        os.close(lock)
        raise SetupError(f"the environment '{environment.name}' is being removed.", fix="Make it anew, or wait.")
    return lock


def _locked(lock: int, *, exclusive: bool) -> bool:
    try:
        import fcntl
    except ImportError:  # without it nobody can know
        return True
    try:
        fcntl.flock(lock, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
