"""The registry of backends: names without imports, each plugin loaded when it is asked for, every failure contained."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import ALGORITHMS
from aligntune_core.backends.accepted import accepted
from aligntune_core.backends.backend import KNOWN_BACKENDS, Backend, Status, by_preference
from aligntune_core.backends.claims import Allowed, barred, broken, distribution, is_reserved, not_imported, refusal
from aligntune_core.backends.engines import ENGINES, EngineImport, engines_seen, forget, heavy_words
from aligntune_core.backends.hooks import Interrupted, shielded, side_effect
from aligntune_core.backends.installed import installed_entry_points
from aligntune_core.backends.meanings import clashes
from aligntune_core.backends.other_environments import backends_elsewhere, recorded_in
from aligntune_core.backends.plugins import Plugins
from aligntune_core.backends.recorded import Recorded
from aligntune_core.backends.records import Records
from aligntune_core.errors import BackendError
from aligntune_core.groups import ENTRY_POINT_GROUP, RECORD_GROUP
from aligntune_core.wording import described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aligntune_core.algorithms import Algorithm
    from aligntune_core.backends.engines import Seen
    from aligntune_core.backends.installed import EntryPoint
    from aligntune_core.environments.environment import Environment
    from aligntune_core.problem import Problem


class Registry:
    """All backends that this environment has or that the project knows.

    Args:
        entry_points: The backends' entry points; those installed in this environment if None.
        environ: Where ``ALIGNTUNE_DISABLED_BACKENDS``, ``ALIGNTUNE_ONLY_BACKENDS`` and ``ALIGNTUNE_PLUGINS`` are read
            from.
        records: The entry points that name what distributions recorded of their plugins.
        elsewhere: The environments of the backends that live in one of their own; those that were recorded if None,
            where ``entry_points`` is None too.
    """

    def __init__(
        self,
        entry_points: Iterable[EntryPoint] | None = None,
        environ: Mapping[str, str] = os.environ,
        records: Iterable[EntryPoint] = (),
        elsewhere: Mapping[str, Environment] | None = None,
    ) -> None:
        if elsewhere is None:
            elsewhere = backends_elsewhere(environ) if entry_points is None else {}
        self._living = elsewhere
        if entry_points is None:
            entry_points, records = installed_entry_points(ENTRY_POINT_GROUP), installed_entry_points(RECORD_GROUP)
        self._entry_points: dict[str, list[EntryPoint]] = {}
        self._refused: dict[str, Backend] = {}
        for point in (*entry_points, *_tried(environ)):
            refused = refusal(point)
            if refused:
                self._refused[refused.name] = refused
                continue
            claims = self._entry_points.setdefault(point.name, [])
            if all(distribution(point) != distribution(claim) for claim in claims):
                claims.append(point)
        self._allowed = Allowed.by(environ)
        self._plugins = Plugins()
        self._records = Records(records)
        self._backends: dict[str, Backend] = {}
        self._declared: dict[str, Backend] = {}
        self._heavy: dict[str, Backend] = {}
        self._ill: dict[str, tuple[Problem, ...]] = {}
        self._brought: dict[str, tuple[Algorithm, ...]] = {}
        self._said: dict[str, Recorded] = {}

    def names(self) -> list[str]:
        """The names of all backends, in order of preference; no plugin is imported."""
        return by_preference({*self._entry_points, *self._backends, *KNOWN_BACKENDS, *self._living})

    def spelt(self, name: object) -> str | None:
        """The name of the backend that was meant, however it is capitalised; None if there is none."""
        wanted = str(name).strip()
        names = self.names()
        if wanted in names or is_reserved(wanted):
            return wanted if wanted in names else None
        return next((each for each in names if each.lower() == wanted.lower()), None)

    def get(self, name: str) -> Backend:
        """One backend as it stands here; its plugin, and no other, is imported, if it lives here.

        Raises:
            KeyError: If there is no backend of that name.
        """
        if name not in self._backends:
            if name not in self.names():
                raise KeyError(name)
            self._backends[name] = self._here_or_elsewhere(name, self._find(name))
        return self._backends[name]

    def declared(self, name: str) -> Backend:
        """One backend by what its distribution recorded of it; its plugin is imported only where that is nothing.

        One whose plugin was imported already is as that says.

        Raises:
            KeyError: If there is no backend of that name.
        """
        if name not in self._backends and name not in self._declared:
            found = self._from_record(name)
            self._declared[name] = self._here_or_elsewhere(name, found) if found else self.light(name)
        return self._backends.get(name) or self._declared[name]

    def light(self, name: str) -> Backend:
        """One backend whose plugin is imported unless that imports an engine, which would be in the way of others.

        One that does is asked in another process, and ``plugin`` is None.

        Raises:
            KeyError: If there is no backend of that name.
        """
        if name in self._backends or name not in self._entry_points or self._barred(name):
            return self.get(name)
        if name not in self._heavy:
            before = frozenset(sys.modules)
            try:
                self._backends[name] = self._here_or_elsewhere(name, self._find(name, barred=True))
            except EngineImport:
                forget(self._entry_points[name][0], before)
                self._plugins.drop(name)
                self._heavy[name] = self._here_or_elsewhere(name, self._elsewhere(name))
        return self._backends.get(name) or self._heavy[name]

    def ill(self, name: str) -> list[Problem]:
        """What a backend that was asked in another process says stands in the way of all its jobs."""
        return list(self._ill.get(name, ()))

    def all(self, *, imported: bool = True) -> dict[str, Backend]:
        """Every backend by name, in order of preference; no engine is imported.

        Args:
            imported: Whether all plugins are imported that import no engine; otherwise only those whose distributions
                recorded nothing.
        """
        find = self.light if imported else self.declared
        found = {name: find(name) for name in self.names()}
        # told of each, since which was found first means nothing
        told = clashes({name: self.brought(name) for name in found})
        for name, notes in told.items():
            found[name] = replace(found[name], notes=(*found[name].notes, *notes))
        return {**found, **self._refused}

    def unimported(self) -> dict[str, Backend]:
        """The backends of which it is known without importing a plugin how they stand, in order of preference."""
        found = {}
        for name in self.names():
            if name not in self._entry_points or self._barred(name):
                found[name] = self.get(name)
            elif self._from_record(name):
                found[name] = self.declared(name)
        return found

    def algorithms(self, names: Iterable[str] = ()) -> tuple[Algorithm, ...]:
        """The core's algorithms and those that the named backends bring."""
        found = {algorithm.name: algorithm for algorithm in ALGORITHMS}
        for name in names:
            for algorithm in self.brought(name):
                found.setdefault(algorithm.name, algorithm)
        return tuple(found.values())

    def brought(self, name: str) -> tuple[Algorithm, ...]:
        """The algorithms that one backend brings."""
        return self._brought.get(name, ()) if self.declared(name).info is not None else ()

    def said(self, name: str, backend: Backend | None = None) -> Recorded:
        """What a plugin that was imported says of its backend, as it says it, but for its settings.

        Args:
            name: The backend's name.
            backend: The backend, where it is not one of this registry yet.
        """
        return replace(self._said[name], hooks=self._plugins.hooks_of((backend or self.get(name)).plugin))

    def may_implement(self, name: str, hook: str) -> bool:
        """Whether a backend may implement a hook, by what is known without importing its plugin.

        Args:
            name: The backend's name.
            hook: The hook.
        """
        backend = self.declared(name)
        if backend.plugin is not None:
            return self._plugins.implements(hook, backend.plugin)
        recorded = self._records.known(name)
        return recorded is None or recorded.hooks is None or hook in recorded.hooks

    def record_place(self, name: str) -> str:
        """The package and the file in which a backend's distribution recorded what its plugin says; empty if none."""
        return self._records.place(name, self._entry_points.get(name, ()))

    def hook(self, backend: Backend, name: str) -> Callable[..., Any]:
        """The hook of that name, as this backend alone implements it."""
        return self._plugins.hook(backend.plugin, name)

    def problems(self, backend: Backend, hook: str, doing: str, **arguments: Any) -> list[Problem]:
        """What a hook of one backend finds, as ``Plugins.problems`` has it."""
        return self._plugins.problems(backend, hook, doing, **arguments)

    def announce(self, name: str, **arguments: Any) -> dict[str, BaseException]:
        """Call an observing hook on every plugin that was loaded, as ``Plugins.announce`` has it."""
        return self._plugins.announce(name, **arguments)

    def register(self, name: str, plugin: object) -> Backend:
        """Add a backend of this process, with no distribution behind it.

        Args:
            name: Its name.
            plugin: A module or object with the hook implementations.

        Raises:
            BackendError: If the name is taken, or the plugin breaks the contract.
        """
        if name in KNOWN_BACKENDS:
            owner = KNOWN_BACKENDS[name].distribution
            raise BackendError(f"the name '{name}' belongs to {owner}.", fix="Choose another name.")
        if name in self.names():
            raise BackendError(f"there is already a backend '{name}'.", fix="Choose another name.")
        if is_reserved(name):
            raise BackendError(f"no backend can be called '{name}'.", fix="Choose another name.")
        try:
            with shielded(name, "was registered"):
                self._backends[name] = self._adopted(name, plugin)
        except Interrupted:
            raise
        except KeyboardInterrupt as error:
            raise BackendError(f"its plugin breaks the contract: {described(error)}") from error
        return self._backends[name]

    def _here_or_elsewhere(self, name: str, here: Backend) -> Backend:
        """The backend as it stands here, where it can be used here or nowhere; else the one in its environment."""
        environment = self._living.get(name)
        if environment is None or here.status in {Status.READY, Status.DISABLED}:
            return here
        try:
            return self._accepted(name, recorded_in(environment, name), None, environment)
        except (BackendError, ValueError) as error:
            reason = f"what is recorded of it in the environment '{environment.name}' can't be used: {error}"
            return replace(here, status=Status.BROKEN, reason=reason.rstrip("."), environment=environment)

    def _find(self, name: str, *, barred: bool = False) -> Backend:
        refused = self._barred(name)
        if refused:
            return refused
        (point,) = self._entry_points[name]
        told: list[str] = []
        try:
            with shielded(name, "was imported", told), engines_seen(barred=barred) as seen:
                backend = self._load(name, point, seen)
        except Interrupted:
            raise
        except (BackendError, KeyboardInterrupt) as error:
            return broken(point, error)
        return replace(backend, notes=(*backend.notes, *(side_effect(f"its plugin {each}") for each in told)))

    def _elsewhere(self, name: str) -> Backend:
        from aligntune_core.backends.elsewhere import asked_elsewhere

        (point,) = self._entry_points[name]
        try:
            with shielded(name, "was imported in a process of its own"):
                told = asked_elsewhere(point)
            backend = self._accepted(name, told.said, point)
        except Interrupted:
            raise
        except Exception as error:
            return broken(point, error)
        self._ill[name] = told.ill
        reason = heavy_words(told.engines) if backend.ready else backend.reason
        return replace(backend, reason=reason, notes=(*told.notes, *backend.notes))

    def _from_record(self, name: str) -> Backend | None:
        if not self.record_place(name) or self._barred(name):
            return None
        (point,) = self._entry_points[name]
        recorded = self._records.of(name, point)
        if not isinstance(recorded, Recorded):
            return None
        try:
            return self._accepted(name, recorded, point=point)
        except Exception as error:
            self._records.refuse(name, error)
            return None

    def _load(self, name: str, point: EntryPoint, seen: Seen) -> Backend:
        try:
            plugin = point.load()
        except (KeyboardInterrupt, EngineImport):
            raise
        except BaseException as error:
            raise BackendError(not_imported(point, error)) from error
        backend = self._adopted(name, plugin, point)
        hooks = partial(self._plugins.hooks_of, plugin)
        if notes := tuple(self._records.notes(name, point, self._said[name], hooks)):
            backend = replace(backend, notes=(*notes, *backend.notes))
        imported = seen.engines | {*getattr(point, "imported", ())}
        return replace(backend, reason=heavy_words(imported)) if imported and not backend.reason else backend

    def _adopted(self, name: str, plugin: Any, point: EntryPoint | None = None) -> Backend:
        return self._plugins.adopt(name, plugin, lambda told: self._accepted(name, told, point))

    def _accepted(
        self, name: str, told: Recorded, point: EntryPoint | None, environment: Environment | None = None
    ) -> Backend:
        found = accepted(name, told, point, environment)
        self._said[name], self._brought[name] = found.said, found.brought
        return found.backend

    def _barred(self, name: str) -> Backend | None:
        return barred(name, self._entry_points.get(name, ()), self._allowed)


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The registry of this process."""
    return Registry()


def _tried(environ: Mapping[str, str]) -> list[EntryPoint]:
    """The plugins that are tried before they are packaged, each in the place of an entry point."""
    named = environ.get("ALIGNTUNE_PLUGINS", "")
    if not named:
        return []
    from aligntune_core.backends.tried import tried_plugins

    return [*tried_plugins(named, ENGINES)]
