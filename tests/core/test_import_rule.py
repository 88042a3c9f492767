"""Nothing that answers a question imports an engine, and no package knows one that it may not know."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {
    "aligntune": ROOT / "aligntune_core/src/aligntune",
    "aligntune_core": ROOT / "aligntune_core/src/aligntune_core",
    "aligntune_trl": ROOT / "aligntune_trl/src/aligntune_trl",
    "aligntune_unsloth": ROOT / "aligntune_unsloth/src/aligntune_unsloth",
}
ENGINES = {
    "torch", "transformers", "trl", "peft", "datasets", "accelerate", "unsloth", "numpy", "pandas", "pyarrow",
    "tokenizers", "safetensors", "huggingface_hub", "gguf", "bitsandbytes", "scipy", "sympy", "math_verify",
}  # fmt: skip
ALLOWED_INSIDE_FUNCTIONS = {
    "aligntune_core.data.loading": {"datasets"},
    "aligntune_core.data.parts": {"datasets"},
    "aligntune_core.data.sources": {"datasets", "pyarrow"},
    "aligntune_core.data.storage.columns": {"datasets", "pyarrow"},
    "aligntune_core.data.storage.exact_json": {"datasets"},
    "aligntune_core.data.storage.keep": {"datasets", "pyarrow"},
    "aligntune_core.data.storage.writer": {"pyarrow"},
    "aligntune_core.models.tiny": {"torch", "transformers", "tokenizers"},
    "aligntune_core.cli.commands.answers": {"torch"},
    "aligntune_core.rewards.builtin.mathematics": {"math_verify"},
}
"""The modules of the core that load data or make a model, and what each may import when it is called to."""

LIGHT_FACES = ("plugin", "capabilities")
CHECKS_WITHOUT_PROBING = (
    "checks.job",
    "translation.arguments",
    "translation.fields",
    "checkpoints.choose",
    "translation.recipes",
)
"""What the TRL backend's check runs through; it may not import an engine, not even inside a function."""


def module_name(path: Path, folder: Path, package: str) -> str:
    parts = [package, *path.relative_to(folder).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    return {
        module_name(path, folder, package): path
        for package, folder in SOURCES.items()
        for path in sorted(folder.rglob("*.py"))
    }


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def statements(node: ast.AST, *, inside_functions: bool):
    for child in ast.iter_child_nodes(node):
        if is_for_types(child):
            yield from statements(ast.Module(child.orelse, []), inside_functions=inside_functions)
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not inside_functions:
            continue
        yield child
        yield from statements(child, inside_functions=inside_functions)


def imports_of(tree: ast.AST, *, inside_functions: bool) -> set[str]:
    """The modules that source imports, where types alone do not count."""
    found = set()
    for node in statements(tree, inside_functions=inside_functions):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("__import__", "import_module"):
            named = node.args[0] if node.args else None
            if isinstance(named, ast.Constant):
                found.add(named.value)
    return found


@cache
def imports(name: str, *, inside_functions: bool = False) -> frozenset[str]:
    return frozenset(imports_of(ast.parse(modules()[name].read_bytes()), inside_functions=inside_functions))


def engines_in(found) -> set[str]:
    return {name.partition(".")[0] for name in found} & ENGINES


def reached(start: str) -> set[str]:
    """The modules of this repository that importing one module imports."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in seen or name not in modules():
            continue
        seen.add(name)
        parents = [name.rsplit(".", depth)[0] for depth in range(1, name.count(".") + 1)]
        waiting += [*parents, *imports(name)]
    return seen


CORE = [name for name in modules() if name.partition(".")[0] in ("aligntune", "aligntune_core")]
FACES = [f"{package}.{face}" for package in ("aligntune_trl", "aligntune_unsloth") for face in LIGHT_FACES]
CHECKS = [f"aligntune_trl.{name}" for name in CHECKS_WITHOUT_PROBING]


def test_the_modules_that_are_spoken_of_are_there():
    assert len(CORE) > 20
    assert {*FACES, *CHECKS} <= set(modules())


@pytest.mark.parametrize("name", [*CORE, *FACES, *CHECKS])
def test_importing_it_imports_no_engine(name):
    heavy = {each: engines for each in reached(name) if (engines := engines_in(imports(each)))}
    assert not heavy


@pytest.mark.parametrize("name", CORE)
def test_only_what_loads_data_or_makes_a_model_imports_an_engine_when_called(name):
    inside = engines_in(imports(name, inside_functions=True))
    assert inside <= ALLOWED_INSIDE_FUNCTIONS.get(name, set())


def test_every_allowance_is_needed():
    used = {name: engines_in(imports(name, inside_functions=True)) for name in ALLOWED_INSIDE_FUNCTIONS}
    assert used == ALLOWED_INSIDE_FUNCTIONS


@pytest.mark.parametrize("name", [*FACES, *CHECKS])
def test_a_check_without_probing_imports_no_engine_when_called(name):
    assert not engines_in(imports(name, inside_functions=True))


@pytest.mark.parametrize("name", CORE)
def test_the_core_knows_no_backend(name):
    backends = {"aligntune_trl", "aligntune_unsloth", "trl", "unsloth", "peft"}
    assert not {each.partition(".")[0] for each in imports(name, inside_functions=True)} & backends


@pytest.mark.parametrize("name", [name for name in modules() if name.startswith("aligntune_trl")])
def test_the_trl_backend_does_not_know_unsloth(name):
    found = {each.partition(".")[0] for each in imports(name, inside_functions=True)}
    assert not found & {"aligntune_unsloth", "unsloth", "unsloth_zoo", "aligntune"}


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
    assert engines_in(imports_of(tree, inside_functions=False)) == outside
    assert engines_in(imports_of(tree, inside_functions=True)) == anywhere


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
