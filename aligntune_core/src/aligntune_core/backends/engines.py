"""The engines' modules, which no plugin may import before it makes a trainer, and seeing which of them one imports."""

from __future__ import annotations

import builtins
import sys
from _thread import get_ident
from contextlib import contextmanager
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from aligntune_core.backends.installed import EntryPoint

ENGINES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "unsloth")
"""Modules that no plugin may import before it makes a trainer."""

_REACHED: dict[str, set[str]] = {}
"""The engines that importing a module imports, by the module: who imports it again imports them as well."""


class EngineImport(BaseException):
    """That a plugin is about to import an engine; nothing that it catches itself."""


def imported_engines() -> frozenset[str]:
    """The engines that this process has imported."""
    return frozenset(engine for engine in ENGINES if engine in sys.modules)


class Seen:
    """The engines that were imported, also those that the process had imported before."""

    def __init__(self, *, barred: bool) -> None:
        self.barred = barred
        self.tried: set[str] = set()
        self._thread = get_ident()

    @property
    def engines(self) -> frozenset[str]:
        """Those that could be imported."""
        return imported_engines() & self.tried

    def see(self, name: str) -> None:
        """Note that a module is imported.

        Args:
            name: The module.

        Raises:
            EngineImport: If it is an engine and none may be imported.
        """
        # what other threads import is their own
        if get_ident() != self._thread:
            return
        engine = name.partition(".")[0]
        if engine in ENGINES and (engine in sys.modules or PathFinder.find_spec(engine)):
            self.tried.add(engine)
            if self.barred:
                raise EngineImport(engine)

    def find_spec(self, name: str, _path: Sequence[str] | None = None, _target: object = None) -> None:
        """See imports that are no statements, as Python's import system asks each finder."""
        self.see(name)


@contextmanager
def engines_seen(*, barred: bool = False) -> Iterator[Seen]:
    """See which engines are imported within.

    Args:
        barred: Whether none may be.

    Raises:
        EngineImport: If one is imported that may not be, whatever the code made of that.
    """
    seen = Seen(barred=barred)
    original = builtins.__import__

    def importing(
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 as Python's own
        locals: Mapping[str, Any] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        whole = _absolute(name, globals, level)
        outer, seen.tried = seen.tried, set()
        try:
            seen.see(whole)
            found = original(name, globals, locals, fromlist or (), level)
            # of a package, what was imported from it is what counts
            inner = [each for item in fromlist or () if (each := f"{whole}.{item}") in sys.modules]
            for each in inner or [whole]:
                seen.tried |= _REACHED.get(each, set())
                if seen.tried and whole.partition(".")[0] not in ENGINES:
                    _REACHED.setdefault(each, set()).update(seen.tried)
        finally:
            seen.tried |= outer
        return found

    builtins.__import__ = importing
    sys.meta_path.insert(0, seen)
    try:
        yield seen
    finally:
        if builtins.__import__ is importing:
            builtins.__import__ = original
        if seen in sys.meta_path:
            sys.meta_path.remove(seen)
    if barred and seen.tried:
        raise EngineImport(", ".join(sorted(seen.tried)))


def _absolute(name: str, importer: Mapping[str, Any] | None, level: int) -> str:
    if not level:
        return name
    package = str((importer or {}).get("__package__") or "")
    return ".".join(filter(None, (package.rsplit(".", level - 1)[0], name)))


def heavy_words(engines: Iterable[str]) -> str:
    """That importing a plugin imports engines."""
    return f"importing its plugin imports {', '.join(sorted(engines))}, which makes every query slow"


def forget(point: EntryPoint, before: Collection[str]) -> None:
    """Take away what is left of a plugin whose import was broken off, so that it is imported whole the next time.

    Args:
        point: Its entry point.
        before: The modules that there were before.
    """
    package = point.value.partition(":")[0].partition(".")[0].strip()
    for name in [each for each in sys.modules if each.partition(".")[0] == package and each not in before]:
        del sys.modules[name]
