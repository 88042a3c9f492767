"""A pipe between a process and its child: when the one end closes, however that comes about, the child ends."""

from __future__ import annotations

import os
import select
import signal
import threading
import weakref

_ALL: weakref.WeakSet[Lifeline] = weakref.WeakSet()


class Lifeline:
    """The parent's end of the pipe.

    On Linux the kernel itself kills the child's process group when this end closes, also while the child's code holds
    the interpreter's lock. Elsewhere a thread of the child watches the pipe.
    """

    def __init__(self) -> None:
        self.theirs, self._ours = os.pipe()
        # a process that is forked from this one would hold the pipe open
        _ALL.add(self)

    def tie(self, group: int) -> None:
        """Hand the other end to a child that has been started with it.

        Args:
            group: The child's process group.
        """
        import fcntl

        if hasattr(fcntl, "F_SETSIG"):
            fcntl.fcntl(self.theirs, fcntl.F_SETOWN, -group)
            fcntl.fcntl(self.theirs, fcntl.F_SETSIG, signal.SIGKILL)
            flags = fcntl.fcntl(self.theirs, fcntl.F_GETFL)
            fcntl.fcntl(self.theirs, fcntl.F_SETFL, flags | os.O_ASYNC)
        os.close(self.theirs)

    def close(self) -> None:
        """Close this end: a child that still runs is killed."""
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1


def hold(end: int) -> None:
    """Tie this process, a child, to the other end of the pipe.

    Args:
        end: The file descriptor of this end.
    """
    import fcntl

    os.set_inheritable(end, False)
    if not hasattr(fcntl, "F_SETSIG"):
        threading.Thread(target=_watch, args=(end,), name="lifeline", daemon=True).start()
    elif select.select([end], [], [], 0)[0]:  # the parent ended before it could tie the pipe
        _end()


def _watch(end: int) -> None:
    os.read(end, 1)
    _end()


def _end() -> None:
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _close_all() -> None:
    for each in list(_ALL):
        each.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_all)
