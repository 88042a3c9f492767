"""The plugins of a registry that were imported: what holds them, and calls the hooks of each alone."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aligntune_core.backends.engines import EngineImport
from aligntune_core.backends.hooks import HookError, Interrupted, contained, listed, shielded, side_effect
from aligntune_core.backends.plain import plain
from aligntune_core.backends.recorded import Recorded
from aligntune_core.errors import BackendError
from aligntune_core.wording import described

if TYPE_CHECKING:
    from collections.abc import Callable

    import pluggy

    from aligntune_core.backends.backend import Backend
    from aligntune_core.problem import Problem

_NEEDED = ("aligntune_backend_info", "aligntune_create_trainer")


class Plugins:
    """The plugins that were imported, by the names of their backends."""

    @cached_property
    def manager(self) -> pluggy.PluginManager:
        """What holds them."""
        # only where a plugin is imported: what is read of backends needs none of it
        from aligntune_core import hookspecs
        from aligntune_core.backends.plugin_manager import plugin_manager

        manager = plugin_manager()
        manager.add_hookspecs(hookspecs)
        return manager

    def implements(self, hook: str, plugin: object) -> bool:
        """Whether a plugin implements a hook."""
        from aligntune_core.backends.plugin_manager import implements

        return implements(self.manager, hook, plugin)

    def hooks_of(self, plugin: object) -> tuple[str, ...]:
        """The hooks of this core that a plugin implements, by name."""
        from aligntune_core.backends.plugin_manager import hooks_of

        return hooks_of(self.manager, plugin)

    def drop(self, name: str) -> None:
        """Forget a plugin, if it was taken in."""
        if self.manager.has_plugin(name):
            self.manager.unregister(name=name)

    def hook(self, plugin: object, name: str) -> Callable[..., Any]:
        """The hook of that name, as this plugin alone implements it."""
        from aligntune_core.backends.plugin_manager import hook_of

        return hook_of(self.manager, name, plugin)

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
                found = listed(self.hook(backend.plugin, hook)(**arguments) or (), hook)
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
        for plugin_name, plugin in self.manager.list_name_plugin():
            others = [other for other in self.manager.get_plugins() if other is not plugin]
            try:
                with shielded(plugin_name, "observed", engine=True):
                    self.manager.subset_hook_caller(name, others)(**arguments)
            except Interrupted:
                raise
            except BaseException as error:
                failed[plugin_name] = error
        return failed

    def adopt(self, name: str, plugin: Any, accept: Callable[[Recorded], Backend]) -> Backend:
        """Take a plugin in, and what it says of itself.

        Args:
            name: The name of its backend.
            plugin: The plugin.
            accept: Makes the backend of what it says.

        Returns:
            The backend, with what is odd about it as notes.

        Raises:
            BackendError: If it breaks the contract; then it is not taken in.
        """
        from aligntune_core.backends.notes import retirements, unknown_hooks
        from aligntune_core.backends.plugin_manager import hook_of, implements

        try:
            with retirements(self.manager) as notes:
                self.manager.register(plugin, name)
            notes += unknown_hooks(self.manager, plugin)
            for hook in _NEEDED:
                if not implements(self.manager, hook, plugin):
                    raise BackendError(
                        f"its plugin has no {hook}, which every backend needs, marked with aligntune_core.hookimpl"
                    )
            info = hook_of(self.manager, "aligntune_backend_info", plugin)()
            brought = hook_of(self.manager, "aligntune_algorithms", plugin)() or ()
            told = Recorded(info, tuple(listed(brought, "aligntune_algorithms")))
            accepted = accept(told)
            return replace(accepted, plugin=plugin, notes=(*notes, *accepted.notes))
        except BaseException as error:
            self.drop(name)
            if isinstance(error, BackendError | KeyboardInterrupt | EngineImport):
                raise
            raise BackendError(f"its plugin breaks the contract: {described(error)}") from error
