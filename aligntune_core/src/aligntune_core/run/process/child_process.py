"""A child process in an interpreter: started, talked to, interrupted, ended, and its death noticed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import BackendError, RunError
from aligntune_core.run.emitting import REPORT_IT
from aligntune_core.run.process.channel import Channel, NotAFrameError
from aligntune_core.run.process.conversation import Conversation
from aligntune_core.run.process.death import death_of
from aligntune_core.run.process.greeting import expect_same, greeting
from aligntune_core.run.process.lifeline import Lifeline
from aligntune_core.run.process.output import last_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aligntune_core.run.process.death import Death

MODULE = "aligntune_core.run.process.child"
START_SECONDS = float(os.environ.get("ALIGNTUNE_PROCESS_START_SECONDS") or 60)
"""How long an interpreter may take until it answers at all, before anything large is imported in it."""
_END_SECONDS = 30.0
_TERMINATE_SECONDS = 5.0


class ChildProcess:
    """A process that is asked to do what a job needs, and that never outlives this one.

    Args:
        python: The interpreter: one that has AlignTune and the backend. This process's own if empty.
        environ: The environment variables that it is started with; this process's own if None.
        keep: File descriptors that it inherits.

    Raises:
        BackendError: If the interpreter can't be started.
    """

    def __init__(self, python: str = "", environ: Mapping[str, str] | None = None, keep: tuple[int, ...] = ()) -> None:
        if os.name != "posix":
            raise BackendError(
                "a process of its own needs a system with POSIX signals, and this is none.", fix="Leave out isolation."
            )
        self.python = python or sys.executable
        self.folder = Path(tempfile.mkdtemp(prefix="aligntune-"))
        self.log = self.folder / "output.log"
        self._doing = "waited"
        self.serve: Callable[[str, dict[str, Any]], Any] = _nothing
        self._fault = ""
        self._killed = self._ending = False
        self._greeted = threading.Event()
        self._gone = threading.Event()
        self._greeting: dict[str, Any] = {}
        self._outbox: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._start(environ, keep)
        self.conversation = Conversation(
            "p", self._send, self._serve, self._elsewhere,
            broken_into=self._broken_into,
        )  # fmt: skip
        for work in (self._read, self._write):
            threading.Thread(target=work, name=f"aligntune process {self.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def is_taken(self) -> bool:
        """Whether it has been given a job."""
        return self.serve is not _nothing

    @property
    def is_gone(self) -> bool:
        """Whether the child has ended."""
        return self._gone.is_set()

    def greet(self) -> None:
        """Wait for the child's first words, and see that it can be worked with.

        Raises:
            BackendError: If it does not answer, or speaks something else.
        """
        if not self._greeted.wait(START_SECONDS):
            self.kill()
            raise BackendError(
                f"the interpreter '{self.python}' was started and did not answer within {START_SECONDS:g} s.",
                fix="Look for what it runs when it starts: sitecustomize, .pth files, a slow disk.",
                code="process-start",
            )
        if not self._greeting:
            self._gone.wait()
            raise self.death()
        expect_same(self._greeting, self.python)

    def call(self, do: str, doing: str, **given: Any) -> Any:
        """Have the child do something.

        Args:
            do: What.
            doing: The same in words, for the message of its death: ``trained``.
            **given: With what.

        Raises:
            BaseException: What was raised there.
            RunError: If the child died.
        """
        if not self.is_gone:
            self._doing = doing
        try:
            return self.conversation.call(do, **given)
        finally:
            if not self.is_gone:
                self._doing = "waited"

    def interrupt(self) -> None:
        """Pass on Ctrl-C."""
        self._signal(signal.SIGINT)

    def terminate(self) -> None:
        """Ask the child to end, and kill it when it does not."""
        self._signal(signal.SIGTERM)
        if not self._gone.wait(_TERMINATE_SECONDS):
            self.kill()

    def kill(self) -> None:
        """End the child and all that it started, at once."""
        self._killed = True
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._gone.wait(_TERMINATE_SECONDS)

    def discard(self) -> None:
        """End the child at once, and keep nothing of what it printed."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def end(self) -> None:
        """Let the child come to its own end; it is killed where that takes too long."""
        self.ask_to_end()
        if not self._gone.wait(_END_SECONDS):
            self.kill()

    def ask_to_end(self) -> None:
        """Let the child come to its own end, and don't wait for it."""
        self._ending = True
        self._send({"end": True})

    def death(self) -> RunError | BackendError:
        """What to say of a child that ended, or had to be ended, with work to do."""
        if self._ending and not self._fault:
            return RunError("the trainer was closed, and its process has ended.", fix="Make another one.")
        printed = last_lines(self.log)
        told = f" It printed last:\n{printed}" if printed else ""
        fix = f"All that it printed is in {self.log}." if printed else ""
        if self._fault:
            message = f"the job's process spoilt its channel to this one while it {self._doing}: {self._fault}."
            return BackendError(message + told, fix=f"{REPORT_IT} {fix}".rstrip(), code="process-channel")
        code = self._process.returncode
        how = f"was ended by {_name_of(-code)}" if code < 0 else f"ended with exit code {code}"
        if not self._greeting:
            message = f"the interpreter '{self.python}' {how} before it could take a job."
            fix = f"It has to be a Python that has AlignTune and the backend. {fix}".rstrip()
            return BackendError(message + told, fix=fix, code="process-start")
        if code == -signal.SIGKILL and not self._killed:
            fix = f"The system does that when memory is used up: lower batch_size or max_seq_length. {fix}".rstrip()
        return RunError(f"the job's process {how} while it {self._doing}.{told}", fix=fix, code="process-died")

    def _start(self, environ: Mapping[str, str] | None, keep: tuple[int, ...]) -> None:
        ours, theirs = socket.socketpair()
        lifeline = Lifeline()
        words = [self.python, "-P", "-u", "-m", MODULE, str(theirs.fileno()), str(lifeline.theirs)]
        try:
            with self.log.open("wb") as log:
                # a session of its own: what a terminal sends comes here, and is passed on once
                self._process = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                    pass_fds=(theirs.fileno(), lifeline.theirs, *keep), env=environ,
                )  # fmt: skip
        except OSError as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            lifeline.close()
            ours.close()
            raise BackendError(
                f"the interpreter '{self.python}' can't be started: {error.strerror or error}.",
                fix="Name a Python that has AlignTune and the backend.",
                code="process-start",
            ) from error
        finally:
            theirs.close()
        lifeline.tie(self._process.pid)
        self._lifeline = lifeline
        self._channel = Channel(ours)
        with suppress(OSError):  # it may have died already
            self._channel.send(greeting())

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def _serve(self, do: str, given: dict[str, Any]) -> Any:
        return self.serve(do, given)

    def _broken_into(self, error: BaseException, again: bool) -> None:
        if again:
            self.kill()
        elif isinstance(error, KeyboardInterrupt):
            self.interrupt()
        else:
            self.terminate()

    def _elsewhere(self, frame: dict[str, Any]) -> None:
        threading.Thread(target=self.conversation.handle, args=(frame,), name="aligntune call", daemon=True).start()

    def _send(self, frame: dict[str, Any]) -> None:
        try:
            is_sent = self._channel.send_whole(frame)
        except OSError:  # its death is told of by the thread that reads
            return
        if not is_sent:
            self._outbox.put(frame)

    def _write(self) -> None:
        # a thread of its own, in which no signal breaks off a frame in its middle
        while (frame := self._outbox.get()) is not None:
            try:
                self._channel.send(frame)
            except OSError:
                return

    def _read(self) -> None:
        with death_of(self._process, self._channel.end.fileno()) as death:
            try:
                self._read_frames(death)
            except (NotAFrameError, ValueError) as error:
                self._fault = f"it wrote {error}"
            if not self._fault and not self._ending and not death.within(_TERMINATE_SECONDS):
                self._fault = "it closed it"
            self._reap(death)

    def _read_frames(self, death: Death) -> None:
        while True:
            has_ended = death.or_readable()
            if has_ended:  # what it sent before is still there; others may hold its end of the channel open
                self._channel.end.setblocking(False)
            frames = self._channel.receive()
            for frame in frames or ():
                self._take(frame)
            if frames is None or (has_ended and not frames):
                return

    def _take(self, frame: dict[str, Any]) -> None:
        if self._greeted.is_set():
            self.conversation.take(frame)
        elif "protocol" in frame:
            self._greeting = frame
            self._greeted.set()
        else:
            raise NotAFrameError("a message before the first")

    def _reap(self, death: Death) -> None:
        if self._ending and not self._fault:
            death.within()
        else:
            # also what it started, while the group's number can't be another's
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._lifeline.close()
        self._outbox.put(None)
        if self._ending and self._process.returncode == 0:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._gone.set()
        self._greeted.set()
        self.conversation.lose(self.death)
        self._channel.end.close()


def _name_of(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


def _nothing(do: str, given: dict[str, Any]) -> None:
    """What a child may ask for before it has a job."""
