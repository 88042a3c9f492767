"""What is odd about a plugin and keeps nobody from using it: told where backends are listed, checked and diagnosed."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aligntune_core.wording import closest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pluggy

    from aligntune_core.problem import Problem

_PREFIX = "aligntune_"


def record_note(reason: str) -> Problem:
    """That what a distribution recorded of its plugin is not to be used.

    Args:
        reason: Why, after "what its distribution recorded of it".
    """
    from aligntune_core.problem import Problem, Severity

    fix = "Its authors write it anew with: aligntune plugin export"
    return Problem("backend-record", f"what its distribution recorded of it {reason}", fix, "backend", Severity.WARNING)


def unknown_hooks(manager: pluggy.PluginManager, plugin: Any) -> Iterator[Problem]:
    """The hooks that a plugin implements and this core does not know: misspelt, or of a later core.

    Args:
        manager: Where it is registered.
        plugin: The plugin.
    """
    callers = vars(manager.hook)
    # what all have in common would make any two look alike
    known = {name.removeprefix(_PREFIX): name for name, caller in callers.items() if caller.has_spec()}
    for name, caller in callers.items():
        if caller.has_spec() or name.startswith("_"):
            continue
        if any(each.plugin is plugin and not each.optionalhook for each in caller.get_hookimpls()):
            match = closest(name.removeprefix(_PREFIX), known)
            fix = f"Did you mean '{known[match]}'?" if match else "A later core may call it."
            yield _hook(f"its plugin implements '{name}', a hook that this core does not know and never calls", fix)


@contextmanager
def retirements(manager: pluggy.PluginManager) -> Iterator[list[Problem]]:
    """Collect what is said of hooks and arguments that a later core will not have, while a plugin is registered.

    Args:
        manager: Where it is registered.
    """
    found: list[Problem] = []
    specs = [caller.spec for caller in vars(manager.hook).values() if caller.spec]
    if not any(spec.warn_on_impl or spec.warn_on_impl_args for spec in specs):
        yield found
        return
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield found
    found += [
        _hook(f"its plugin is out of date: {str(each.message).rstrip('.')}", "Install a newer one.") for each in said
    ]


def _hook(message: str, fix: str) -> Problem:
    from aligntune_core.problem import Problem, Severity

    return Problem("backend-hook", message, fix, "backend", Severity.WARNING)
