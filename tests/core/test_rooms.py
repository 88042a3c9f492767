"""Every module imports what its room may import, as CONTRIBUTING.md has it; nothing that answers imports an engine."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ENGINES = {
    "torch", "transformers", "trl", "peft", "datasets", "accelerate", "unsloth", "numpy", "pandas", "pyarrow",
    "tokenizers", "safetensors", "huggingface_hub", "gguf", "bitsandbytes", "scipy", "sympy", "math_verify",
}  # fmt: skip
FACE, CORE, TRL, UNSLOTH = "aligntune", "aligntune_core", "aligntune_trl", "aligntune_unsloth"
LIGHT = {f"{package}.{name}" for package in (TRL, UNSLOTH) for name in ("plugin", "capabilities")}
LOOSE = "the root"


def _script():
    spec = importlib.util.spec_from_file_location("draw_rooms", ROOT / "docs" / "draw_rooms.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


draw_rooms = _script()


def table(head: str, page: str = PAGE) -> dict[str, tuple[str, ...]]:
    """The rows of the table whose head begins so, by their first cells."""
    lines = page[page.index(f"| {head} |") :].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip(" `") for cell in line.strip("|").split("|")])
    return {name: tuple(cells) for name, *cells in rows}


def listed(cell: str) -> frozenset[str]:
    return frozenset(each.strip() for each in cell.split(",")) - {"-", "none"}


CORE_ROOMS = table("room of the core")
TRL_ROOMS = table("room of the TRL backend")
UNSLOTH_ROOMS = table("room of the Unsloth backend")
WITHOUT_ENGINES = {room for room, (_, engines) in TRL_ROOMS.items() if engines == "none"} | {LOOSE}


def may_import(room: str) -> set[str]:
    others = listed(CORE_ROOMS[room][1])
    return set(CORE_ROOMS) if others == {"everything"} else {*others, room}


def trl_engines(room: str) -> set[str]:
    allowed = {"none": set(), "any": ENGINES, "any but trl": ENGINES - {"trl"}}
    return set() if room == LOOSE else allowed[TRL_ROOMS[room][1]]


def engines_in(found) -> set[str]:
    return {name.partition(".")[0] for name in found} & ENGINES


@dataclass
class Tree:
    """The packages' sources in a checkout."""

    root: Path

    @cached_property
    def modules(self) -> dict[str, Path]:
        folders = [f"{CORE}/src/{FACE}", *(f"{package}/src/{package}" for package in (CORE, TRL, UNSLOTH))]
        return {name: path for folder in folders for name, path in draw_rooms.modules(self.root / folder).items()}

    @cached_property
    def _parsed(self):
        parsed = {name: ast.parse(path.read_bytes()) for name, path in self.modules.items()}
        return {
            inside: {name: draw_rooms.imports_of(tree, inside_functions=inside) for name, tree in parsed.items()}
            for inside in (False, True)
        }

    def imports(self, name: str, *, inside_functions: bool = True) -> set[str]:
        return self._parsed[inside_functions][name]

    def of(self, package: str) -> list[str]:
        """The package's modules but for its face, which looks names up where they are when it is asked."""
        return [name for name in self.modules if name.startswith(f"{package}.")]

    def room(self, name: str) -> str:
        return draw_rooms.room_of(name, self.modules[name])

    def reached(self, start: str) -> set[str]:
        """The modules of this repository that importing one module imports."""
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            name = waiting.pop()
            if name in seen or name not in self.modules:
                continue
            seen.add(name)
            parents = [name.rsplit(".", depth)[0] for depth in range(1, name.count(".") + 1)]
            waiting += [*parents, *self.imports(name, inside_functions=False)]
        return seen


def missing_rooms(tree: Tree) -> list[str]:
    """Folders without a row in the table of rooms, and rows without a folder."""
    found = []
    for package, rooms in ((CORE, CORE_ROOMS), (TRL, TRL_ROOMS), (UNSLOTH, UNSLOTH_ROOMS)):
        there = {tree.room(name) for name in tree.of(package)}
        found += [f"{package}: {room}" for room in (there | {LOOSE}) ^ (set(rooms) | {LOOSE})]
    return found


def upward_arrows(tree: Tree) -> list[str]:
    """Imports of the core that the table of rooms does not allow."""
    return [
        f"{name} imports {other}"
        for name in tree.of(CORE)
        for other in sorted(tree.imports(name) & set(tree.of(CORE)))
        if tree.room(other) not in may_import(tree.room(name))
    ]


def circles(tree: Tree) -> list[str]:
    """Modules that import themselves by way of others, also when a function is called."""
    arrows = draw_rooms.module_arrows(tree.root)

    def leads_back(start: str) -> bool:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            ahead = arrows[waiting.pop()] - seen
            seen |= ahead
            waiting += ahead
        return start in seen

    return [name for name in tree.of(CORE) if leads_back(name)]


def engines_at_import(tree: Tree) -> list[str]:
    """What imports an engine as soon as it is imported, where that may not be."""
    light = [FACE, CORE, *tree.of(FACE), *tree.of(CORE), *LIGHT]
    light += [name for name in tree.of(TRL) if tree.room(name) in WITHOUT_ENGINES]
    light += [name for name in tree.of(UNSLOTH) if UNSLOTH_ROOMS.get(tree.room(name), ("", "none"))[1] == "none"]
    return [
        f"{name} imports {', '.join(sorted(engines))}, by way of {each}"
        for name in light
        for each in sorted(tree.reached(name))
        if (engines := engines_in(tree.imports(each, inside_functions=False)))
    ]


def engines_in_the_wrong_room(tree: Tree) -> list[str]:
    """Engines that a room imports, and that its table does not name."""
    allowed = {
        **{name: listed(CORE_ROOMS[tree.room(name)][2]) for name in tree.of(CORE)},
        **{name: trl_engines(tree.room(name)) for name in tree.of(TRL)},
        **dict.fromkeys([FACE, CORE, *tree.of(FACE), *LIGHT], frozenset()),
    }
    return [
        f"{name} imports {engine}"
        for name, engines in allowed.items()
        for engine in sorted(engines_in(tree.imports(name)) - engines)
    ]


def engines_behind_a_room_without(tree: Tree) -> list[str]:
    """Imports from a room of the TRL backend without engines into one that has them."""
    return [
        f"{name} imports {other}"
        for name in tree.of(TRL)
        if tree.room(name) in WITHOUT_ENGINES - {LOOSE}
        for other in sorted(tree.imports(name) & set(tree.of(TRL)))
        if tree.room(other) not in WITHOUT_ENGINES
    ]


def strangers(tree: Tree) -> list[str]:
    """Packages that a package may not know."""
    unknown = {
        FACE: {TRL, UNSLOTH, "trl", "unsloth", "unsloth_zoo", "peft"},
        CORE: {TRL, UNSLOTH, "trl", "unsloth", "unsloth_zoo", FACE},
        TRL: {UNSLOTH, "unsloth", "unsloth_zoo", FACE},
    }
    return [
        f"{name} imports {other}"
        for package, names in unknown.items()
        for name in (package, *tree.of(package))
        for other in sorted({each.partition(".")[0] for each in tree.imports(name)} & names)
    ]


RULES = (
    missing_rooms,
    upward_arrows,
    circles,
    engines_at_import,
    engines_in_the_wrong_room,
    engines_behind_a_room_without,
    strangers,
)
HERE = Tree(ROOT)


def test_the_modules_that_are_spoken_of_are_there():
    assert len(HERE.of(CORE)) > 100
    assert {*HERE.modules} > LIGHT
    assert len(HERE.of(FACE)) > 1
    assert {"translation", "checks"} < WITHOUT_ENGINES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_packages_keep_it(rule):
    assert rule(HERE) == []


@pytest.mark.parametrize("room", CORE_ROOMS)
def test_a_row_of_the_table_allows_only_rows_above_it(room):
    rows = list(CORE_ROOMS)
    assert may_import(room) <= set(rows[: rows.index(room) + 1])


@pytest.mark.parametrize("room", CORE_ROOMS)
def test_an_engine_that_a_room_is_allowed_is_imported_there(room):
    used = {engine for name in HERE.of(CORE) if HERE.room(name) == room for engine in engines_in(HERE.imports(name))}
    assert used == listed(CORE_ROOMS[room][2])


@pytest.mark.parametrize(
    ("rule", "module", "source"),
    [
        (missing_rooms, "aligntune_core/attic/old", ""),
        (missing_rooms, "aligntune_trl/attic/old", ""),
        (missing_rooms, "aligntune_unsloth/attic/old", ""),
        (upward_arrows, "aligntune_core/backends/odd", "from aligntune_core.check.verdict import Verdict"),
        (upward_arrows, "aligntune_core/backends/odd", "def f():\n from aligntune_core.check import decide"),
        (upward_arrows, "aligntune_core/odd", "from aligntune_core.machine.devices import device"),
        (upward_arrows, "aligntune_core/console/odd", "import aligntune_core.cli.app"),
        (circles, "aligntune_core/machine/disk", "def f():\n from aligntune_core.machine import disk_"),
        (engines_at_import, "aligntune_core/models/odd", "import torch"),
        (engines_at_import, "aligntune_trl/checks/odd", "from aligntune_trl.run import effect"),
        (engines_at_import, "aligntune_trl/plugin", "from aligntune_trl.ppo import losses"),
        (engines_at_import, "aligntune_unsloth/checks/odd", "from aligntune_trl.run import effect"),
        (engines_in_the_wrong_room, "aligntune_core/check/odd", "def f():\n import torch"),
        (engines_in_the_wrong_room, "aligntune_trl/translation/odd", "def f():\n import transformers"),
        (engines_in_the_wrong_room, "aligntune_trl/capabilities", "def f():\n import numpy"),
        (engines_in_the_wrong_room, "aligntune_trl/models/odd", "def f():\n from trl import SFTConfig"),
        (engines_in_the_wrong_room, "aligntune_unsloth/plugin", "def f():\n import unsloth"),
        (
            engines_behind_a_room_without,
            "aligntune_trl/checks/odd",
            "def f():\n import aligntune_trl.models.tokenizer",
        ),
        (strangers, "aligntune_core/odd", "def f():\n import aligntune_trl"),
        (strangers, "aligntune_trl/run/odd", "import aligntune_unsloth.plugin"),
    ],
)
def test_a_violation_is_found(rule, module, source, tmp_path):
    for folder in (f"{CORE}/src", f"{TRL}/src/{TRL}", f"{UNSLOTH}/src/{UNSLOTH}"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    package, _, rest = module.partition("/")
    file = tmp_path / package / "src" / package / f"{rest}.py"
    file.parent.mkdir(exist_ok=True)
    if rule is circles:
        file.with_name("disk_.py").write_text("from aligntune_core.machine.disk import free_bytes\n")
    file.write_text((file.read_text(encoding="utf-8") if file.exists() else "") + f"\n{source}\n", encoding="utf-8")
    assert rule(Tree(tmp_path))


def test_what_types_alone_need_is_no_arrow(tmp_path):
    file = tmp_path / CORE / "src" / CORE / "machine" / "odd.py"
    file.parent.mkdir(parents=True)
    file.write_text("if TYPE_CHECKING:\n from aligntune_core.check.verdict import Verdict\n", encoding="utf-8")
    assert upward_arrows(Tree(tmp_path)) == []


def test_the_picture_of_the_rooms_is_the_one_that_is_drawn():
    drawn = PAGE.partition(draw_rooms.BEGIN)[2].partition(draw_rooms.END)[0]
    assert drawn == draw_rooms.picture(), "run `python docs/draw_rooms.py`"


def test_a_detour_takes_the_place_of_an_arrow():
    arrows = {("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")}
    assert draw_rooms.without_detours(arrows) == {("a", "b"), ("b", "c"), ("c", "d")}


CHANGES = table("change")
SHORT = {"core": f"{CORE}/src/{CORE}", "trl": f"{TRL}/src/{TRL}"}


@pytest.mark.parametrize("change", CHANGES)
def test_the_files_of_a_change_are_there(change):
    named = [path for cell in CHANGES[change] for path in re.findall(r"`?([\w.]+(?:/[\w.]+)+)", cell)]
    assert named
    for path in named:
        first, _, rest = path.partition("/")
        assert (ROOT / SHORT.get(first, first) / rest).exists(), path


@pytest.mark.parametrize(
    ("source", "outside", "anywhere"),
    [
        ("import torch", {"torch"}, {"torch"}),
        ("import torch.nn as nn", {"torch"}, {"torch"}),
        ("from trl.trainer import x", {"trl"}, {"trl"}),
        ("try:\n import torch\nexcept ImportError:\n pass", {"torch"}, {"torch"}),
        ("class A:\n import torch", {"torch"}, {"torch"}),
        ("if 1:\n import torch", {"torch"}, {"torch"}),
        ("def f():\n import torch", set(), {"torch"}),
        ("def f():\n __import__('torch')", set(), {"torch"}),
        ("import_module('trl.x')", {"trl"}, {"trl"}),
        ("class A:\n async def f(self):\n  from peft import x", set(), {"peft"}),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n import torch", set(), set()),
        ("if TYPE_CHECKING:\n import torch\nelse:\n import trl", {"trl"}, {"trl"}),
        ("import torchlight", set(), set()),
    ],
)
def test_the_rule_sees_every_way_to_import(source, outside, anywhere):
    tree = ast.parse(source)
    assert engines_in(draw_rooms.imports_of(tree, inside_functions=False)) == outside
    assert engines_in(draw_rooms.imports_of(tree)) == anywhere


HEAVY = [
    "torch", "transformers", "trl", "peft", "datasets", "accelerate", "unsloth", "numpy", "pydantic", "rich", "typer",
    "yaml",
]  # fmt: skip


def loaded_after(code: str) -> set[str]:
    """What of the heavy modules a fresh interpreter holds once it has run some code."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(set(sys.modules) & set({HEAVY}))))"
    run = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import aligntune",
        "import aligntune; aligntune.capabilities()",
        "import aligntune; aligntune.supports('trl', 'sft', 'lora'); aligntune.supports('unsloth', 'gspo')",
        "import aligntune; aligntune.find_backends('sft', features='lora', usable=True)",
        "from aligntune import get_backend_status; get_backend_status()",
        "from aligntune.core.backend_factory import *; BackendType.TRL, BackendType.UNSLOTH",
        "import aligntune_core",
    ],
    ids=["import", "capabilities", "supports", "find", "status", "factory", "core"],
)
def test_a_fresh_interpreter_that_asks_holds_nothing_heavy(code):
    assert loaded_after(code) == set()


def test_a_check_holds_no_engine(tmp_path):
    rows = [{"prompt": "2+2?", "completion": "4"}]
    keys = {"algorithm": "sft", "model_name": "org/m", "dataset_name": rows, "output_dir": str(tmp_path)}
    code = f"import aligntune\naligntune.check(level='fast', **{keys})"
    assert loaded_after(code) <= {"pydantic", "yaml"}


def test_the_view_into_an_interpreter_sees_what_is_there():
    assert "yaml" in loaded_after("import yaml")
