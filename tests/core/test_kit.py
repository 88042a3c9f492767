"""The kit is what docs/kit.md says and what was recorded of it: authors of backends build on it."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import aligntune_core.kit

PAGE = Path(__file__).parents[2] / "docs" / "kit.md"
RECORDED = Path(__file__).with_name("kit.json")
BEGIN, END = "<!-- kit, drawn by tests/core/test_kit.py -->\n", "<!-- /kit -->"
WHAT_TO_DO = """the kit is not the one that is recorded. Released names stay as they are within a major version: add
names, or arguments that may be left out. Then record it and draw its page with `python tests/core/test_kit.py`."""


def public():
    """The kit's modules with their functions and classes, in the order in which they are written."""
    found = {}
    for info in pkgutil.walk_packages(aligntune_core.kit.__path__, "aligntune_core.kit."):
        module = importlib.import_module(info.name)
        found[info.name.removeprefix("aligntune_core.kit.")] = [
            each
            for name, each in vars(module).items()
            if not name.startswith("_")
            and (inspect.isfunction(each) or inspect.isclass(each))
            and each.__module__ == info.name
        ]
    return {name: members for name, members in found.items() if members}


def arguments(member):
    return {} if inspect.isclass(member) and issubclass(member, Exception) else inspect.signature(member).parameters


def shape(member):
    """What code that uses a function or a class relies on."""
    told = {"takes": [f"{each}" for each in arguments(member).values()]}
    if inspect.isfunction(member):
        told["gives"] = str(inspect.signature(member).return_annotation)
    if dataclasses.is_dataclass(member):
        return told
    if inspect.isclass(member):
        told["has"] = sorted(name for name in vars(member) if not name.startswith("_"))
    return told


def now():
    return {f"{module}.{each.__name__}": shape(each) for module, members in public().items() for each in members}


def breaches(old, new):
    """What a backend that was written for the older kit would trip over."""
    for name, before in old.items():
        if name not in new:
            yield f"{name} is gone"
            continue
        after = new[name]
        kept = [each for each in after["takes"] if each in before["takes"]]
        if kept != before["takes"]:
            yield f"{name} takes other arguments"
        elif [each for each in after["takes"] if each not in before["takes"] and "=" not in each]:
            yield f"{name} needs another argument"
        elif after.get("gives") != before.get("gives") or not set(before.get("has", ())) <= set(after.get("has", ())):
            yield f"{name} gives another thing"


def written(member):
    """What a member takes, as it is written when it is called: without types."""
    parameters = [each.replace(annotation=each.empty) for each in arguments(member).values()]
    return str(inspect.Signature(parameters))[1:-1]


def table():
    lines = ["| in `aligntune_core.kit` | is there to |", "|---|---|"]
    for module, members in public().items():
        for each in members:
            first = inspect.getdoc(each).split("\n")[0].rstrip(".").replace("``", "`")
            called = (
                f"{each.__name__}({written(each)})" if arguments(each) or inspect.isfunction(each) else each.__name__
            )
            lines.append(f"| `{module}.{called}` | {first[0].lower() + first[1:]} |")
    return "\n".join(lines) + "\n"


def test_the_kit_is_the_one_that_is_recorded():
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    assert list(breaches(recorded, now())) == [], WHAT_TO_DO
    assert recorded == now(), WHAT_TO_DO


def test_the_page_lists_all_of_it():
    page = PAGE.read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0] == table(), WHAT_TO_DO


def test_all_of_it_says_what_it_takes():
    for module, members in public().items():
        for each in members:
            doc, names = inspect.getdoc(each) or "", arguments(each)
            assert len(names) < 2 or all(f"    {name}: " in doc for name in names), (module, each)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"takes": ["a"]}, {"takes": ["a", "b=1"]}, []),
        ({"takes": ["a"]}, {"takes": ["a", "b"]}, ["f needs another argument"]),
        ({"takes": ["a", "b"]}, {"takes": ["b", "a"]}, ["f takes other arguments"]),
        ({"takes": ["a"]}, {"takes": []}, ["f takes other arguments"]),
        ({"takes": ["a"], "gives": "int"}, {"takes": ["a"], "gives": "str"}, ["f gives another thing"]),
        ({"takes": [], "has": ["x"]}, {"takes": [], "has": ["y"]}, ["f gives another thing"]),
        ({"takes": [], "has": ["x"]}, {"takes": [], "has": ["x", "y"]}, []),
        ({"takes": []}, None, ["f is gone"]),
    ],
)
def test_what_breaks_a_backend_is_seen(old, new, said):
    assert list(breaches({"f": old}, {"f": new} if new else {})) == said


def test_importing_the_kit_imports_no_engine():
    program = (
        "import pkgutil, importlib, sys, aligntune_core.kit as kit\n"
        "for each in pkgutil.walk_packages(kit.__path__, kit.__name__ + '.'): importlib.import_module(each.name)\n"
        "print(sorted({'torch', 'transformers', 'datasets', 'peft', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


if __name__ == "__main__":
    RECORDED.write_text(json.dumps(now(), indent=2) + "\n", encoding="utf-8")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + table() + END + rest.partition(END)[2], encoding="utf-8")
