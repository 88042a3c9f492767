"""The registry of backends: names without imports, each plugin loaded when it is asked for, every failure contained."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pluggy

from aligntune_core import hookspecs
from aligntune_core.algorithms import ALGORITHMS
from aligntune_core.backends.backend import KNOWN_BACKENDS, Backend, Status, by_preference
from aligntune_core.backends.contract import check_algorithms, checked_info
from aligntune_core.backends.hooks import HookError, contained
from aligntune_core.backends.installed import installed_entry_points, normalised
from aligntune_core.backends.requirements import unmet_requirements
from aligntune_core.errors import BackendError
from aligntune_core.wording import described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aligntune_core.algorithms import Algorithm
    from aligntune_core.backends.installed import EntryPoint
    from aligntune_core.problem import Problem

ENGINES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "unsloth")
"""Modules that no plugin may import before it makes a trainer."""

RESERVED = ("auto",)
"""Names that jobs use for something else."""


class Registry:
    """All backends that this environment has or that the project knows.

    Args:
        entry_points: The backends' entry points; those installed in this environment if None.
        environ: Where ``ALIGNTUNE_DISABLED_BACKENDS`` and ``ALIGNTUNE_ONLY_BACKENDS`` are read from.
    """

    def __init__(
        self, entry_points: Iterable[EntryPoint] | None = None, environ: Mapping[str, str] = os.environ
    ) -> None:
        if entry_points is None:
            entry_points = installed_entry_points(hookspecs.ENTRY_POINT_GROUP)
        self._entry_points: dict[str, list[EntryPoint]] = {}
        for point in entry_points:
            claims = self._entry_points.setdefault(point.name, [])
            if all(_distribution(point) != _distribution(claim) for claim in claims):
                claims.append(point)
        self._disabled = _names(environ.get("ALIGNTUNE_DISABLED_BACKENDS", ""))
        self._only = _names(environ.get("ALIGNTUNE_ONLY_BACKENDS", ""))
        self._backends: dict[str, Backend] = {}
        self._brought: dict[str, tuple[Algorithm, ...]] = {}
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)

    def names(self) -> list[str]:
        """The names of all backends, in order of preference; no plugin is imported."""
        return by_preference({*self._entry_points, *self._backends, *KNOWN_BACKENDS})

    def spelt(self, name: object) -> str | None:
        """The name of the backend that was meant, however it is capitalised; None if there is none."""
        wanted = str(name).strip()
        names = self.names()
        return wanted if wanted in names else next((each for each in names if each.lower() == wanted.lower()), None)

    def get(self, name: str) -> Backend:
        """One backend as it stands here; its plugin, and no other, is imported.

        Raises:
            KeyError: If there is no backend of that name.
        """
        if name not in self._backends:
            if name not in self._entry_points and name not in KNOWN_BACKENDS:
                raise KeyError(name)
            self._backends[name] = self._find(name)
        return self._backends[name]

    def all(self) -> dict[str, Backend]:
        """Every backend by name, in order of preference; all plugins are imported, but no engine."""
        found = {name: self.get(name) for name in self.names()}
        for name, points in self._entry_points.items():
            owner = KNOWN_BACKENDS.get(name)
            for point in points:
                if owner and _distribution(point) != owner.distribution:
                    label = f"{name} [{_distribution(point)}]"
                    reason = f"the name '{name}' belongs to the distribution {owner.distribution}"
                    found[label] = Backend(
                        label, Status.BROKEN, _version(point), reason, _uninstall(point), origin=_origin(point)
                    )
        return found

    def algorithms(self, names: Iterable[str] = ()) -> tuple[Algorithm, ...]:
        """The core's algorithms and those that the named backends bring."""
        found = {algorithm.name: algorithm for algorithm in ALGORITHMS}
        for name in names:
            if self.get(name).plugin is not None:
                for algorithm in self._brought.get(name, ()):
                    found.setdefault(algorithm.name, algorithm)
        return tuple(found.values())

    def hook(self, backend: Backend, name: str) -> Callable[..., Any]:
        """The hook of that name, as this backend alone implements it."""
        others = [plugin for plugin in self._manager.get_plugins() if plugin is not backend.plugin]
        return self._manager.subset_hook_caller(name, others)

    def call(self, backend: Backend, hook: str, doing: str, **arguments: Any) -> Any:
        """What a hook of one backend gives.

        Args:
            backend: The backend.
            hook: The hook.
            doing: What the backend does in it, for the message of its failure.
            **arguments: The hook's arguments.

        Raises:
            AlignTuneError: What the backend raises for users to put right.
            HookError: In place of whatever else it raises.
        """
        with contained(backend, doing):
            return self.hook(backend, hook)(**arguments)

    def problems(self, backend: Backend, hook: str, doing: str, **arguments: Any) -> list[Problem]:
        """What a hook of one backend finds; that it fails is a problem too.

        Args:
            backend: The backend.
            hook: A hook that gives problems.
            doing: What the backend does in it, for the message of its failure.
            **arguments: The hook's arguments.
        """
        from aligntune_core.problem import Problem

        try:
            # what a hook yields is its own doing too
            with contained(backend, doing, through=()):
                found = list(self.hook(backend, hook)(**arguments) or ())
                odd = [type(problem).__name__ for problem in found if not isinstance(problem, Problem)]
                if odd:
                    raise TypeError(f"its {hook} gave a {odd[0]}, not a Problem")
                return found
        except HookError as error:
            return [error.problem]

    def announce(self, name: str, **arguments: Any) -> dict[str, BaseException]:
        """Call an observing hook on every plugin that was loaded.

        Returns:
            What the observers that failed raised, by their backends' names.
        """
        failed: dict[str, BaseException] = {}
        for plugin_name, plugin in self._manager.list_name_plugin():
            others = [other for other in self._manager.get_plugins() if other is not plugin]
            try:
                self._manager.subset_hook_caller(name, others)(**arguments)
            except (Exception, SystemExit) as error:
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
        if name in RESERVED:
            raise BackendError(f"no backend can be called '{name}'.", fix="Choose another name.")
        self._backends[name] = self._adopt(name, plugin)
        return self._backends[name]

    def _find(self, name: str) -> Backend:
        known = KNOWN_BACKENDS.get(name)
        points = self._entry_points.get(name, [])
        if known:
            points = [point for point in points if _distribution(point) == known.distribution]
        origin = " and ".join(sorted(map(_origin, points)))
        if name in self._disabled:
            return Backend(name, Status.DISABLED, reason="ALIGNTUNE_DISABLED_BACKENDS names it", origin=origin)
        if self._only and name not in self._only:
            return Backend(name, Status.DISABLED, reason="ALIGNTUNE_ONLY_BACKENDS does not name it", origin=origin)
        if name in RESERVED:
            reason = "the name is AlignTune's own"
            return Backend(name, Status.BROKEN, reason=reason, install=_uninstall(points[0]), origin=origin)
        if known and not points:
            return Backend(name, Status.MISSING, reason=f"{known.distribution} is not installed", install=known.install)
        if len(points) > 1:
            claimants = " and ".join(sorted(_distribution(point) for point in points))
            reason = f"{claimants} both claim the name"
            return Backend(name, Status.BROKEN, reason=reason, install=_uninstall(points[-1]), origin=origin)
        try:
            return self._load(name, points[0])
        except BackendError as error:
            cause = error.__cause__ or error
            reason = str(error).rstrip(".")
            return Backend(name, Status.BROKEN, _version(points[0]), reason, cause=cause, origin=origin)

    def _load(self, name: str, point: EntryPoint) -> Backend:
        early = {engine for engine in ENGINES if engine not in sys.modules}
        try:
            plugin = point.load()
        except (Exception, SystemExit) as error:
            raise BackendError(f"its plugin '{point.value}' can't be imported: {described(error)}") from error
        backend = self._adopt(name, plugin, _version(point), _install(point), _origin(point))
        imported = sorted(engine for engine in early if engine in sys.modules)
        if imported and not backend.reason:
            from dataclasses import replace

            reason = f"importing its plugin imports {', '.join(imported)}, which makes every query slow"
            return replace(backend, reason=reason)
        return backend

    def _adopt(
        self, name: str, plugin: Any, version: str = "", install: str = "", origin: str = "this process"
    ) -> Backend:
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
            backend = Backend(name, Status.READY, version, plugin=plugin)
            self._check_hooks(backend)
            info = checked_info(name, self.hook(backend, "aligntune_backend_info")())
            brought = list(self.hook(backend, "aligntune_algorithms")() or ())
            check_algorithms(info, brought, self._brought)
            unmet = unmet_requirements(info.requirements)
        except (Exception, SystemExit) as error:
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            if isinstance(error, BackendError):
                raise
            raise BackendError(f"its plugin breaks the contract: {described(error)}") from error
        self._brought[name] = tuple(brought)
        install = info.install or (KNOWN_BACKENDS[name].install if name in KNOWN_BACKENDS else install)
        if unmet:
            reason = f"it needs {'; '.join(unmet)}"
            return Backend(name, Status.MISSING, version, reason, install, info, plugin, origin=origin)
        return Backend(name, Status.READY, version, "", "", info, plugin, origin=origin)

    def _check_hooks(self, backend: Backend) -> None:
        for hook in ("aligntune_backend_info", "aligntune_create_trainer"):
            found = getattr(self._manager.hook, hook).get_hookimpls()
            if all(each.plugin is not backend.plugin for each in found):
                raise BackendError(
                    f"its plugin has no {hook}, which every backend needs, marked with aligntune_core.hookimpl"
                )


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The registry of this process."""
    return Registry()


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _distribution(point: EntryPoint) -> str:
    return normalised(_told(point, "name"))


def _version(point: EntryPoint) -> str:
    return _told(point, "version")


def _origin(point: EntryPoint) -> str:
    return f"{_distribution(point)} {_version(point)}".strip() or "a distribution without metadata"


def _told(point: EntryPoint, field: str) -> str:
    # what is left of a distribution that was half removed has no metadata
    try:
        return getattr(point.dist, field, None) or ""
    except Exception:
        return ""


def _install(point: EntryPoint) -> str:
    return f"pip install {_distribution(point)}" if _distribution(point) else ""


def _uninstall(point: EntryPoint) -> str:
    return f"pip uninstall {_distribution(point)}" if _distribution(point) else ""
