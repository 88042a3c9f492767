"""What becomes of an exception that a backend's code raises: whose it is stays known, and none is lost."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from aligntune_core.errors import AlignTuneError, RunError
from aligntune_core.wording import described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.run.emitting import Emitting


@contextmanager
def calling(emitting: Emitting, doing: str) -> Iterator[None]:
    """Call a backend's code.

    An AlignTuneError and an interruption pass as they are. An engine's own exception passes too, with a note that names
    the backend. What was wrong with an event, or was raised by the user's own listener, is raised in place of what the
    engine made of it.

    Args:
        emitting: What the backend sends events to.
        doing: What the backend does within, for the note.

    Raises:
        RunError: If the backend tries to end the process.
    """
    emitting.surface()
    try:
        yield
    except KeyboardInterrupt:
        emitting.stopped = None
        raise
    except BaseException as error:
        if error is emitting.stopped:
            emitting.stopped = None
            raise
        emitting.surface()
        if isinstance(error, AlignTuneError):
            raise
        if not isinstance(error, Exception):
            raise RunError(
                f"backend '{emitting.backend}' tried to end the process while it {doing}: {described(error)}.",
                fix="Report it to the backend's authors.",
            ) from error
        error.add_note(f"Raised by backend '{emitting.backend}' while it {doing}.")
        raise
    emitting.surface()
