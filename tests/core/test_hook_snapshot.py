"""The hooks are those that were recorded for their version of the contract: who changes one has to think of plugins."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pluggy
import pytest

from aligntune_core import hookspecs
from aligntune_core.capabilities import CONTRACT_VERSION, OLDEST_CONTRACT
from aligntune_core.groups import PROJECT

RECORDED = Path(__file__).with_name("hooks.json")
WHAT_TO_DO = """the hooks are not those that are recorded for this version of the contract. Released ones stay as they
are: a change needs a new CONTRACT_VERSION, and what goes a warning one version before, as docs/backends.md has it under
"Versions of the contract". Then record it with `python tests/core/test_hook_snapshot.py`."""


def hooks_of(specs):
    """Each hook with its arguments, what it gives, and what is said to go."""
    found = {}
    for name, hook in sorted(vars(specs).items()):
        options = getattr(hook, f"{PROJECT}_spec", None)
        if options is not None:
            signature = inspect.signature(hook)
            found[name] = {
                "arguments": {each.name: str(each.annotation) for each in signature.parameters.values()},
                "gives": str(signature.return_annotation),
                "firstresult": bool(options.get("firstresult")),
                "retired": sorted([*(options.get("warn_on_impl_args") or ()), *["it"] * bool(options["warn_on_impl"])]),
            }
    return found


def recorded():
    return {int(version): hooks for version, hooks in json.loads(RECORDED.read_text(encoding="utf-8")).items()}


def breaches(old, new):
    """What a plugin of the older version would trip over that was not said to go, by hook."""
    for name, hook in old.items():
        if "it" in hook["retired"]:
            continue
        if name not in new:
            yield f"{name} is gone"
            continue
        there = new[name]
        for argument, kind in hook["arguments"].items():
            if argument not in hook["retired"] and there["arguments"].get(argument) != kind:
                yield f"{name} has another {argument}"
        if (hook["gives"], hook["firstresult"]) != (there["gives"], there["firstresult"]):
            yield f"{name} gives another thing"


def test_the_hooks_are_those_that_are_recorded():
    assert recorded().get(CONTRACT_VERSION) == hooks_of(hookspecs), WHAT_TO_DO


def test_every_version_that_this_core_speaks_is_recorded():
    assert list(recorded()) == list(range(1, CONTRACT_VERSION + 1))
    assert 1 <= OLDEST_CONTRACT <= CONTRACT_VERSION


def test_no_version_breaks_a_plugin_of_the_one_before():
    versions = recorded()
    for version in range(OLDEST_CONTRACT + 1, CONTRACT_VERSION + 1):
        assert list(breaches(versions[version - 1], versions[version])) == []


spec = pluggy.HookspecMarker(PROJECT)


class Before:
    @spec(firstresult=True)
    def aligntune_comb(self, job: str, rows: int) -> int: ...

    @spec(firstresult=True, warn_on_impl_args={"rows": DeprecationWarning("goes")})
    def aligntune_spin(self, job: str, rows: int) -> int: ...

    @spec(firstresult=True)
    def aligntune_weave(self, job: str) -> int: ...

    @spec(firstresult=True, warn_on_impl=DeprecationWarning("goes"))
    def aligntune_shear(self) -> int: ...


class After:
    @spec(firstresult=True)
    def aligntune_comb(self, job: str, rows: str) -> int: ...

    @spec(firstresult=True)
    def aligntune_spin(self, job: str, new: int) -> int: ...

    @spec
    def aligntune_weave(self, job: str) -> int: ...


def test_what_breaks_plugins_is_seen_and_what_was_said_to_go_is_not():
    old, new = hooks_of(Before), hooks_of(After)
    assert list(breaches(old, new)) == ["aligntune_comb has another rows", "aligntune_weave gives another thing"]
    assert list(breaches(new, old)) == [
        "aligntune_comb has another rows",
        "aligntune_spin has another new",
        *(["aligntune_weave gives another thing"]),
    ]
    del new["aligntune_comb"]
    assert next(breaches(old, new)) == "aligntune_comb is gone"


@pytest.mark.parametrize("name", sorted(hooks_of(hookspecs)))
def test_a_hook_says_since_when_it_is_there(name):
    assert "Since 1." in inspect.getdoc(getattr(hookspecs, name))


if __name__ == "__main__":
    text = json.dumps({**(recorded() if RECORDED.exists() else {}), CONTRACT_VERSION: hooks_of(hookspecs)}, indent=2)
    RECORDED.write_text(text + "\n", encoding="utf-8")
