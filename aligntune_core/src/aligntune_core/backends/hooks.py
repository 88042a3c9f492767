"""What becomes of a hook that fails: it is told as the backend's failure, and harms nothing else."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from aligntune_core.errors import AlignTuneError, BackendError
from aligntune_core.wording import described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.backends.backend import Backend
    from aligntune_core.problem import Problem


class HookError(BackendError):
    """A hook that raised what no user can put right; chained to that."""

    @property
    def problem(self) -> Problem:
        """The failure as a problem of the job that the hook was called for."""
        from aligntune_core.problem import Problem

        return Problem("backend-broken", self.message, self.fix, "backend")


@contextmanager
def contained(
    backend: Backend, doing: str, *, through: tuple[type[Exception], ...] = (AlignTuneError,)
) -> Iterator[None]:
    """Turn whatever a backend raises within into one kind of error.

    Args:
        backend: The backend.
        doing: What it does within, for the message of its failure.
        through: What is left as it is; by default what the backend raises for users to put right.

    Raises:
        HookError: In place of any other exception, and of an attempt to end the process.
    """
    try:
        yield
    except through:
        raise
    except (Exception, SystemExit) as error:
        message = f"backend '{backend.name}' failed while it {doing}: {described(error)}."
        raise HookError(message, fix="Report it to the backend's authors.") from error
