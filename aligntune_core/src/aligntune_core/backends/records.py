"""What installed distributions recorded of their plugins, read when it is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aligntune_core.backends.claims import distribution
from aligntune_core.backends.recorded import Recorded, RecordError, differences, read_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from aligntune_core.backends.installed import EntryPoint
    from aligntune_core.problem import Problem


class Records:
    """The records of backends, by name.

    Args:
        points: The entry points that name them.
    """

    def __init__(self, points: Iterable[EntryPoint]) -> None:
        self._points = {(point.name, distribution(point)): point for point in points}
        self._read: dict[str, Recorded | RecordError] = {}

    def place(self, name: str, claims: Sequence[EntryPoint]) -> str:
        """The package and the file of a backend's record; empty if there is none.

        Args:
            name: The backend's name.
            claims: The entry points of its plugin: only who brings the plugin may record something of it.
        """
        if not self._points:
            return ""
        found = (self._points.get((name, distribution(point))) for point in claims)
        return next((point.value for point in found if point), "")

    def of(self, name: str, point: EntryPoint) -> Recorded | RecordError | None:
        """What was recorded of a backend, or why that can't be read; None where there is nothing.

        Args:
            name: The backend's name.
            point: Its plugin's entry point.
        """
        found = self._points.get((name, distribution(point))) if self._points else None
        if found and name not in self._read:
            try:
                self._read[name] = read_record(found.value)
            except RecordError as error:
                self._read[name] = error
        return self._read.get(name)

    def known(self, name: str) -> Recorded | None:
        """What was read of a backend until now."""
        found = self._read.get(name)
        return found if isinstance(found, Recorded) else None

    def refuse(self, name: str, error: BaseException) -> None:
        """Hold what was recorded of a backend for no record, since it breaks the contract."""
        self._read[name] = RecordError(f"breaks the contract: {error}".rstrip("."))

    def notes(
        self, name: str, point: EntryPoint, said: Recorded, hooks: Callable[[], tuple[str, ...]]
    ) -> Iterator[Problem]:
        """What is wrong with what was recorded of a plugin that is imported now; what the plugin says holds.

        Args:
            name: The backend's name.
            point: Its plugin's entry point.
            said: What the plugin says.
            hooks: Gives the hooks that it implements.
        """
        recorded = self.of(name, point)
        if recorded is None:
            return
        from aligntune_core.backends.notes import record_note

        if isinstance(recorded, RecordError):
            yield record_note(f"can't be used: {recorded}")
            return
        if recorded.hooks is not None:
            said = replace(said, hooks=hooks())
        # models of settings take long to make, and are compared where they are exported
        apart = differences(replace(recorded, settings={}), said)
        if apart:
            yield record_note(f"is not what its plugin says, which holds: they differ in {', '.join(apart)}")
