"""A hook of one plugin is called as pluggy would call it, and hooks are found wherever a module may have them."""

from __future__ import annotations

from types import ModuleType

import pluggy
import pytest

from aligntune_core import hookimpl, hookspecs
from aligntune_core.backends.plugin_manager import hook_of, implements, plugin_manager


@pytest.fixture
def registered():
    """A manager with modules in it, each with these names."""

    def make(**modules):
        manager = plugin_manager()
        manager.add_hookspecs(hookspecs)
        made = {}
        for name, members in modules.items():
            made[name] = ModuleType(name)
            vars(made[name]).update(members)
            manager.register(made[name], name)
        return manager, made

    return make


@hookimpl
def diagnose():
    return ["from a module"]


@hookimpl
def check(job):
    return [job]


class Backend:
    @hookimpl
    def aligntune_diagnose(self):
        return ["from a method"]


@pytest.mark.parametrize(
    ("member", "said"), [(diagnose, ["from a module"]), (Backend().aligntune_diagnose, ["from a method"])]
)
def test_a_hook_is_found_whether_it_is_a_function_or_an_object_s(registered, member, said):
    manager, made = registered(one={"aligntune_diagnose": member, "_value": 3, "Some": Backend, "other": len})
    assert implements(manager, "aligntune_diagnose", made["one"])
    assert hook_of(manager, "aligntune_diagnose", made["one"])() == said
    assert not implements(manager, "aligntune_check_job", made["one"])


def test_what_is_not_marked_is_no_hook(registered):
    manager, made = registered(one={"aligntune_diagnose": lambda: ["no"]})
    assert not implements(manager, "aligntune_diagnose", made["one"])


def test_a_hook_is_that_of_one_plugin_and_takes_the_arguments_that_it_asks_for(registered):
    manager, made = registered(one={"aligntune_check_job": check}, two={"aligntune_check_job": hookimpl(lambda: [2])})
    for name, found in (("one", ["the job"]), ("two", [2])):
        assert hook_of(manager, "aligntune_check_job", made[name])(job="the job", probe=True) == found


def test_a_hook_that_a_plugin_does_not_have_gives_nothing(registered):
    manager, made = registered(one={"aligntune_check_job": check}, two={})
    assert hook_of(manager, "aligntune_check_job", made["two"])(job="the job", probe=True) is None


def test_a_wrapper_wraps(registered):
    @pluggy.HookimplMarker("aligntune")(wrapper=True, specname="aligntune_check_job")
    def around():
        found = yield
        return [*found, "wrapped"]

    manager, made = registered(one={"aligntune_check_job": check, "around": around})
    assert hook_of(manager, "aligntune_check_job", made["one"])(job="the job", probe=True) == ["the job", "wrapped"]
