"""What becomes of a backend's code that fails: it is told as the backend's failure, and harms nothing else."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import AlignTuneError, BackendError
from aligntune_core.wording import described, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aligntune_core.backends.backend import Backend
    from aligntune_core.problem import Problem


class HookError(BackendError):
    """A hook that raised what no user can put right; chained to that."""

    @property
    def problem(self) -> Problem:
        """The failure as a problem of the job that the hook was called for."""
        from aligntune_core.problem import Problem

        return Problem("backend-broken", self.message, self.fix, "backend")


def side_effect(words: str) -> Problem:
    """What a backend's code did to the process, as a finding.

    Args:
        words: What it did, with its subject.
    """
    from aligntune_core.problem import Problem, Severity

    return Problem("backend-side-effect", words, "Report it to the backend's authors.", "backend", Severity.WARNING)


MOST = 10_000
"""What a hook may give at most of anything."""


def listed(found: Iterable[Any], hook: str) -> list[Any]:
    """All that a hook gives.

    Args:
        found: What it gives, one after the other.
        hook: The hook.

    Raises:
        ValueError: If there is no end to it.
    """
    some = list(islice(found, MOST + 1))
    if len(some) > MOST:
        raise ValueError(f"its {hook} gave more than {MOST} values")
    return some


class Interrupted(KeyboardInterrupt):
    """The user's own interruption, which says what was going on."""


@contextmanager
def contained(
    backend: Backend,
    doing: str,
    *,
    through: tuple[type[Exception], ...] = (AlignTuneError,),
    told: list[str] | None = None,
    engine: bool = False,
) -> Iterator[None]:
    """Turn whatever a backend raises within into one kind of error, and keep the process as it is.

    Args:
        backend: The backend.
        doing: What it does within, for the message of its failure.
        through: What is left as it is; by default what the backend raises for users to put right.
        told: Takes what it did besides, in words.
        engine: Whether it may import its engine, which may change the process and takes its time.

    Raises:
        HookError: In place of any other exception, and of an attempt to end the process.
        Interrupted: If the user interrupts it.
    """
    try:
        with shielded(backend.name, doing, told, engine=engine):
            yield
    except Interrupted:
        raise
    except through:
        raise
    except BaseException as error:
        message = f"backend '{backend.name}' failed while it {doing}: {described(error)}."
        raise HookError(message, fix="Report it to the backend's authors.") from error


@contextmanager
def shielded(name: str, doing: str, told: list[str] | None = None, *, engine: bool = False) -> Iterator[None]:
    """Keep the process as it is while a backend's code runs, and name the backend where it takes long.

    Args:
        name: The backend.
        doing: What it does within.
        told: Takes what it did to the process, in words.
        engine: Whether it may import its engine, which may change the process and takes its time.

    Raises:
        Interrupted: If the user interrupts it; a KeyboardInterrupt that the code raised itself passes as it is.
    """
    # a query that reads what is recorded needs none of these
    from aligntune_core.backends.aside import standard_output_aside
    from aligntune_core.backends.engines import imported_engines
    from aligntune_core.backends.patience import named_when_slow
    from aligntune_core.backends.side_effects import before, undone

    with ExitStack() as stack:
        interruption = stack.enter_context(_interruption(name, doing))
        said = stack.enter_context(standard_output_aside(may_ask=engine))
        was: list[Any] | None = None
        engines = imported_engines()
        if not engine:
            stack.enter_context(named_when_slow(name, doing))
            was = before()
        try:
            yield
        except KeyboardInterrupt:
            # an exception that a handler raised on the way can't be told from the code's own otherwise
            if interruption.is_certain and not interruption.came:
                raise
            interruption.came = True
        finally:
            changed = undone(was, of_engine=imported_engines() != engines) if was is not None else []
    if told is not None:
        told += [f"changes {what} for the whole process, which was put back" for what in changed]
        if said.text:
            told.append(f"writes to standard output, {shown(said.text.strip())}, which went to standard error")


class _Interruption:
    """Whether the user interrupted what goes on, and whether that can be told from an exception of its own."""

    came = False
    is_certain = True


@contextmanager
def _interruption(name: str, doing: str) -> Iterator[_Interruption]:
    import signal

    found = _Interruption()

    def interrupt(*_: object) -> None:
        found.came = True
        raise KeyboardInterrupt

    handler = signal.getsignal(signal.SIGINT)
    is_ours = False
    if handler is signal.default_int_handler:
        try:
            signal.signal(signal.SIGINT, interrupt)
            is_ours = True
        except ValueError:
            pass  # in another thread than the main one, where no interruption arrives
    elif callable(handler):
        found.is_certain = False
    try:
        yield found
    finally:
        if is_ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if found.came:
            # whatever the code made of it
            raise Interrupted(f"while backend '{name}' {doing}") from None
