"""What holds the plugins and calls their hooks."""

from __future__ import annotations

from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any, cast

import pluggy

from aligntune_core.groups import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pluggy import HookImpl, HookimplOpts

_MARK = f"{PROJECT}_impl"


class _PluginManager(pluggy.PluginManager):
    """Looks for hooks among a module's functions alone, since pluggy takes its time to look at each of its names."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> HookimplOpts | None:
        found = vars(plugin).get(name) if isinstance(plugin, ModuleType) else None
        if isinstance(found, FunctionType):
            marked = vars(found).get(_MARK)
            return cast("HookimplOpts", marked) if isinstance(marked, dict) else None
        # what a module has besides are values and classes, and seldom a method of an object
        if isinstance(plugin, ModuleType) and not isinstance(found, MethodType):
            return None
        return super().parse_hookimpl_opts(plugin, name)


def plugin_manager() -> pluggy.PluginManager:
    """A manager that knows no hook yet."""
    return _PluginManager(PROJECT)


def implements(manager: pluggy.PluginManager, name: str, plugin: object) -> bool:
    """Whether a plugin implements a hook.

    Args:
        manager: Where it is registered.
        name: The hook.
        plugin: The plugin.
    """
    return bool(_implementations(manager, name, plugin))


def hooks_of(manager: pluggy.PluginManager, plugin: object) -> tuple[str, ...]:
    """The hooks of this core that a plugin implements, by name.

    Args:
        manager: Where it is registered.
        plugin: The plugin.
    """
    known = (name for name, caller in vars(manager.hook).items() if caller.has_spec())
    return tuple(sorted(name for name in known if implements(manager, name, plugin)))


def hook_of(manager: pluggy.PluginManager, name: str, plugin: object) -> Callable[..., Any]:
    """A hook as one plugin alone implements it; one that gives nothing where it doesn't.

    Args:
        manager: Where it is registered.
        name: The hook.
        plugin: The plugin.
    """
    mine = _implementations(manager, name, plugin)
    if len(mine) == 1 and not (mine[0].wrapper or mine[0].hookwrapper):
        # what pluggy comes to as well, without going through all other plugins on the way
        function, names = mine[0].function, mine[0].argnames
        return lambda **arguments: function(*(arguments[each] for each in names))
    return manager.subset_hook_caller(name, [each for each in manager.get_plugins() if each is not plugin])


def _implementations(manager: pluggy.PluginManager, name: str, plugin: object) -> list[HookImpl]:
    return [each for each in getattr(manager.hook, name).get_hookimpls() if each.plugin is plugin]
