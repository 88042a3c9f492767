"""Calls between two processes, in both directions and from any thread, each answered with a value or an exception."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from aligntune_core.run.process.raised import error_from_json, error_to_json
from aligntune_core.run.process.values import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from aligntune_core.run.process.values import Readers, Special

    Frame = dict[str, Any]

_REMEMBERED = 100
"""Exceptions that are kept in case the other process sends them back."""


@dataclass(eq=False)
class _Waiting:
    box: SimpleQueue[Frame | None] = field(default_factory=SimpleQueue)
    answer: Frame | None = None


class Conversation:
    """One side of the calls.

    A call that the other side makes while it works on one from here is answered in the thread that waits for that one,
    as if it had been called by it; any other is given to ``elsewhere``.

    Args:
        side: A letter that the other side does not have, for the numbers of its calls.
        send: Sends a frame.
        serve: Does what the other side asks for: called with a name and what is given by name.
        elsewhere: Takes a call that no thread here waits in; :meth:`handle` answers it.
        special: What writes values that have no form of their own.
        readers: What reads those of the other side.
        broken_into: Called with what a signal raised in a thread that waits, and whether it is not the first; the wait
            goes on until there is an answer or nobody to give one. Where it is None, the exception ends the wait.
    """

    def __init__(
        self,
        side: str,
        send: Callable[[Frame], None],
        serve: Callable[[str, dict[str, Any]], Any],
        elsewhere: Callable[[Frame], None],
        *,
        special: Special | None = None,
        readers: Readers | None = None,
        broken_into: Callable[[BaseException, bool], None] | None = None,
    ) -> None:
        self._side, self._send, self._serve, self._elsewhere = side, send, serve, elsewhere
        self._special, self._readers, self._broken_into = special, readers, broken_into
        self._numbers = itertools.count(1)
        self._waiting: dict[str, _Waiting] = {}
        self._handling = threading.local()
        self._kept: OrderedDict[str, BaseException] = OrderedDict()
        self._gone: Callable[[], BaseException] | None = None

    def call(self, do: str, **given: Any) -> Any:
        """Have the other side do something, and wait for what comes of it.

        Args:
            do: What to do.
            **given: With what.

        Raises:
            BaseException: What was raised there; or what :meth:`lose` was given, when there is no other side any more.
        """
        number = f"{self._side}{next(self._numbers)}"
        written = to_json(given, special=self._special)
        waiting = self._waiting[number] = _Waiting()
        within = next(reversed(self._calls()), None)
        try:
            if self._gone is None:
                self._send({"call": number, "do": do, "with": written, "within": within})
            return self._outcome(waiting)
        finally:
            del self._waiting[number]

    def take(self, frame: Frame) -> None:
        """Give a frame that has come to the thread that it is for.

        Raises:
            ValueError: If it is neither a call nor an answer.
        """
        if "answer" in frame:
            waiting = self._waiting.get(frame["answer"])
            if waiting:
                waiting.answer = frame
                waiting.box.put(None)
        elif {"call", "do", "with", "within"} <= frame.keys():
            waiting = self._waiting.get(frame["within"])
            if waiting:
                waiting.box.put(frame)
            else:
                self._elsewhere(frame)
        else:
            raise ValueError(f"a frame has {', '.join(frame)}")

    def handle(self, frame: Frame) -> None:
        """Do what a call asks for, in this thread, and answer it."""
        number, calls = frame["call"], self._calls()
        calls.append(number)
        try:
            value = self._serve(frame["do"], from_json(frame["with"], self._readers))
            answer = {"answer": number, "value": to_json(value, special=self._special)}
        except BaseException as error:
            self._keep(number, error)
            answer = {"answer": number, "error": error_to_json(error, number)}
        finally:
            calls.pop()
        self._send(answer)

    def lose(self, gone: Callable[[], BaseException]) -> None:
        """There is no other side any more: every call that waits, and every further one, raises what is made.

        Args:
            gone: Makes what is raised.
        """
        self._gone = gone
        for waiting in list(self._waiting.values()):
            waiting.box.put(None)

    def _outcome(self, waiting: _Waiting) -> Any:
        broken: BaseException | None = None
        while waiting.answer is None:
            try:
                if self._gone is not None and waiting.box.empty():
                    break
                frame = waiting.box.get()
                if frame is not None:
                    self.handle(frame)
            except BaseException as error:
                if self._broken_into is None:
                    raise
                self._broken_into(error, broken is not None)
                broken = broken or error
        if broken is not None:
            raise broken
        if waiting.answer is None:
            raise self._gone() if self._gone else RuntimeError("there is no answer")
        if "error" in waiting.answer:
            raise error_from_json(waiting.answer["error"], self._kept)
        return from_json(waiting.answer["value"], self._readers)

    def _calls(self) -> list[str]:
        """The calls of the other side that this thread works on, the innermost last."""
        if not hasattr(self._handling, "calls"):
            self._handling.calls = []
        calls: list[str] = self._handling.calls
        return calls

    def _keep(self, number: str, error: BaseException) -> None:
        self._kept[number] = error
        while len(self._kept) > _REMEMBERED:
            self._kept.popitem(last=False)
