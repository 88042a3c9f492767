"""The registry of backends: names without imports, each plugin loaded when it is asked for, every failure contained."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import ALGORITHMS
from aligntune_core.backends.backend import KNOWN_BACKENDS, Backend, Status, by_preference
from aligntune_core.backends.claims import (
    both_claim,
    broken,
    distribution,
    is_reserved,
    not_imported,
    origin,
    refusal,
    uninstall,
    version,
)
from aligntune_core.backends.contract import check_algorithms, checked_info, job_key_notes
from aligntune_core.backends.engines import ENGINES, EngineImport, engines_seen, forget, heavy_words
from aligntune_core.backends.hooks import HookError, Interrupted, contained, listed, shielded, side_effect
from aligntune_core.backends.installed import installed_entry_points, installed_version
from aligntune_core.backends.meanings import clash_note, clashes, judged
from aligntune_core.backends.origins import install_command
from aligntune_core.backends.other_environments import backends_elsewhere, recorded_in
from aligntune_core.backends.plain import plain
from aligntune_core.backends.recorded import Recorded, RecordError, differences, read_record
from aligntune_core.backends.requirements import unmet_requirements
from aligntune_core.errors import BackendError
from aligntune_core.groups import ENTRY_POINT_GROUP, RECORD_GROUP
from aligntune_core.wording import described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pluggy

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
        self._disabled = _names(environ.get("ALIGNTUNE_DISABLED_BACKENDS", ""))
        self._only = _names(environ.get("ALIGNTUNE_ONLY_BACKENDS", ""))
        self._record_points = {(point.name, distribution(point)): point for point in records}
        self._records: dict[str, Recorded | RecordError] = {}
        self._backends: dict[str, Backend] = {}
        self._declared: dict[str, Backend] = {}
        self._heavy: dict[str, Backend] = {}
        self._ill: dict[str, tuple[Problem, ...]] = {}
        self._brought: dict[str, tuple[Algorithm, ...]] = {}
        self._said: dict[str, Recorded] = {}

    @cached_property
    def _manager(self) -> pluggy.PluginManager:
        # only where a plugin is imported: what is read of backends needs none of it
        from aligntune_core import hookspecs
        from aligntune_core.backends.plugin_manager import plugin_manager

        manager = plugin_manager()
        manager.add_hookspecs(hookspecs)
        return manager

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
                if self._manager.has_plugin(name):
                    self._manager.unregister(name=name)
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
        from aligntune_core.backends.plugin_manager import hooks_of

        return replace(self._said[name], hooks=hooks_of(self._manager, (backend or self.get(name)).plugin))

    def may_implement(self, name: str, hook: str) -> bool:
        """Whether a backend may implement a hook, by what is known without importing its plugin.

        Args:
            name: The backend's name.
            hook: The hook.
        """
        backend = self.declared(name)
        if backend.plugin is not None:
            from aligntune_core.backends.plugin_manager import implements

            return implements(self._manager, hook, backend.plugin)
        recorded = self._records.get(name)
        return not isinstance(recorded, Recorded) or recorded.hooks is None or hook in recorded.hooks

    def record_place(self, name: str) -> str:
        """The package and the file in which a backend's distribution recorded what its plugin says; empty if none."""
        points = (self._record_points.get((name, distribution(point))) for point in self._entry_points.get(name, ()))
        return next((point.value for point in points if point), "")

    def hook(self, backend: Backend, name: str) -> Callable[..., Any]:
        """The hook of that name, as this backend alone implements it."""
        from aligntune_core.backends.plugin_manager import hook_of

        return hook_of(self._manager, name, backend.plugin)

    def problems(self, backend: Backend, hook: str, doing: str, **arguments: Any) -> list[Problem]:
        """What a hook of one backend finds; that it fails is a problem too.

        Args:
            backend: The backend.
            hook: A hook that gives problems.
            doing: What the backend does in it, for the message of its failure.
            **arguments: The hook's arguments.
        """
        from aligntune_core.problem import Problem

        told: list[str] = []
        try:
            # what a hook yields is its own doing too
            with contained(backend, doing, through=(), told=told, engine=bool(arguments.get("probe"))):
                found = listed(self.hook(backend, hook)(**arguments) or (), hook)
                odd = [type(problem).__name__ for problem in found if not isinstance(problem, Problem)]
                if odd:
                    raise TypeError(f"its {hook} gave a {odd[0]}, not a Problem")
                found = list(map(plain, found))
        except HookError as error:
            return [error.problem]
        return [*found, *(side_effect(f"backend '{backend.name}' {each}.") for each in told)]

    def announce(self, name: str, **arguments: Any) -> dict[str, BaseException]:
        """Call an observing hook on every plugin that was loaded.

        Returns:
            What the observers that failed raised, by their backends' names.
        """
        failed: dict[str, BaseException] = {}
        for plugin_name, plugin in self._manager.list_name_plugin():
            others = [other for other in self._manager.get_plugins() if other is not plugin]
            try:
                with shielded(plugin_name, "observed", engine=True):
                    self._manager.subset_hook_caller(name, others)(**arguments)
            except Interrupted:
                raise
            except BaseException as error:
                failed[plugin_name] = error
        return failed

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
                self._backends[name] = self._adopt(name, plugin)
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

    def _barred(self, name: str) -> Backend | None:
        """A backend that can't be used whatever its plugin says; None if only that tells."""
        known, points = KNOWN_BACKENDS.get(name), self._entry_points.get(name, [])
        if len(points) == 1 and not (self._disabled or self._only or is_reserved(name)):
            return None
        came = " and ".join(sorted(map(origin, points)))
        if name in self._disabled:
            return Backend(name, Status.DISABLED, reason="ALIGNTUNE_DISABLED_BACKENDS names it", origin=came)
        if self._only and name not in self._only:
            return Backend(name, Status.DISABLED, reason="ALIGNTUNE_ONLY_BACKENDS does not name it", origin=came)
        if is_reserved(name):
            reason = "the name is AlignTune's own"
            return Backend(name, Status.BROKEN, reason=reason, install=uninstall(points[0]), origin=came)
        if not known and not points:
            return Backend(name, Status.MISSING, reason="it is not installed here")
        if known and not points:
            absent = [*(each for each in known.needs if not installed_version(each)), known.distribution]
            reason = f"{known.distribution} is not installed"
            return Backend(name, Status.MISSING, reason=reason, install=install_command(absent))
        if len(points) > 1:
            return Backend(name, Status.BROKEN, reason=both_claim(points), install=uninstall(points[-1]), origin=came)
        return None

    def _from_record(self, name: str) -> Backend | None:
        if not self._record_points or not self.record_place(name) or self._barred(name):
            return None
        (point,) = self._entry_points[name]
        recorded = self._recorded(name, point)
        if not isinstance(recorded, Recorded):
            return None
        try:
            return self._accepted(name, recorded, point=point)
        except Exception as error:
            self._records[name] = RecordError(f"breaks the contract: {error}".rstrip("."))
            return None

    def _recorded(self, name: str, point: EntryPoint) -> Recorded | RecordError | None:
        """What the distribution recorded of its plugin, or why that can't be read; None where there is nothing."""
        found = self._record_points.get((name, distribution(point))) if self._record_points else None
        if found and name not in self._records:
            try:
                self._records[name] = read_record(found.value)
            except RecordError as error:
                self._records[name] = error
        return self._records.get(name)

    def _load(self, name: str, point: EntryPoint, seen: Seen) -> Backend:
        try:
            plugin = point.load()
        except (KeyboardInterrupt, EngineImport):
            raise
        except BaseException as error:
            raise BackendError(not_imported(point, error)) from error
        backend = self._adopt(name, plugin, point)
        if notes := tuple(self._record_notes(backend, point)):
            backend = replace(backend, notes=(*notes, *backend.notes))
        imported = seen.engines | {*getattr(point, "imported", ())}
        return replace(backend, reason=heavy_words(imported)) if imported and not backend.reason else backend

    def _record_notes(self, backend: Backend, point: EntryPoint) -> Iterable[Problem]:
        """What is wrong with what was recorded of a plugin that is imported now; what the plugin says holds."""
        recorded = self._recorded(backend.name, point)
        if recorded is None or backend.info is None:
            return
        from aligntune_core.backends.notes import record_note

        if isinstance(recorded, RecordError):
            yield record_note(f"can't be used: {recorded}")
            return
        # models of settings take long to make, and are compared where they are exported
        said = self.said(backend.name, backend) if recorded.hooks is not None else self._said[backend.name]
        apart = differences(replace(recorded, settings={}), said)
        if apart:
            yield record_note(f"is not what its plugin says, which holds: they differ in {', '.join(apart)}")

    def _adopt(self, name: str, plugin: Any, point: EntryPoint | None = None) -> Backend:
        from aligntune_core.backends.notes import retirements, unknown_hooks
        from aligntune_core.backends.plugin_manager import hook_of, implements

        try:
            with retirements(self._manager) as notes:
                self._manager.register(plugin, name)
            notes += unknown_hooks(self._manager, plugin)
            for hook in ("aligntune_backend_info", "aligntune_create_trainer"):
                if not implements(self._manager, hook, plugin):
                    raise BackendError(
                        f"its plugin has no {hook}, which every backend needs, marked with aligntune_core.hookimpl"
                    )
            info = hook_of(self._manager, "aligntune_backend_info", plugin)()
            brought = hook_of(self._manager, "aligntune_algorithms", plugin)() or ()
            told = Recorded(info, tuple(listed(brought, "aligntune_algorithms")))
            accepted = self._accepted(name, told, point)
            return replace(accepted, plugin=plugin, notes=(*notes, *accepted.notes))
        except BaseException as error:
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            if isinstance(error, BackendError | KeyboardInterrupt | EngineImport):
                raise
            raise BackendError(f"its plugin breaks the contract: {described(error)}") from error

    def _accepted(
        self, name: str, told: Recorded, point: EntryPoint | None, environment: Environment | None = None
    ) -> Backend:
        """A backend that says so of itself, as it stands here or in an environment of its own.

        Raises:
            BackendError: If that breaks the contract.
            ValueError: If a requirement is none.
        """
        info = checked_info(name, plain(told.info))
        brought = tuple(map(plain, told.algorithms))
        check_algorithms(info, brought)
        unmet = [] if environment else unmet_requirements(info.requirements)
        self._said[name] = Recorded(info, brought)
        info, self._brought[name], faults = judged(info, brought)
        notes = (*map(clash_note, faults), *job_key_notes(info))
        came = (version(point), origin(point)) if point else ("", "this process")
        if environment:
            there = environment.found["backends"][name]
            came = (str(there.get("version", "")), str(there.get("origin", "")))
        status, reason, install = Status.READY, "", ""
        if unmet:
            status, reason = Status.MISSING, f"it needs {'; '.join(unmet)}"
            lacking = [each for each in info.requirements if unmet_requirements([each])]
            # what one of this project's backends lacks, another one may not be able to live with
            own = f"aligntune env create {name}" if name in KNOWN_BACKENDS else install_command(lacking)
            install = info.install or own
        return Backend(
            name, status, came[0], reason, install, info, origin=came[1], notes=notes, environment=environment
        )


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The registry of this process."""
    return Registry()


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _tried(environ: Mapping[str, str]) -> list[EntryPoint]:
    """The plugins that are tried before they are packaged, each in the place of an entry point."""
    named = environ.get("ALIGNTUNE_PLUGINS", "")
    if not named:
        return []
    from aligntune_core.backends.tried import tried_plugins

    return [*tried_plugins(named, ENGINES)]
