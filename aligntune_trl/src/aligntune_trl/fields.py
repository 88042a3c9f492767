"""The names that an engine's configuration class takes, read from its source without importing it."""

from __future__ import annotations

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_SOURCES = {
    "SFTConfig": ("trl", "trainer/sft_config.py"),
    "DPOConfig": ("trl", "trainer/dpo_config.py"),
    "LoraConfig": ("peft", "tuners/lora/config.py"),
}
_BASES = (("trl", "trainer/base_config.py"), ("transformers", "training_args.py"))


@cache
def config_fields(config: str) -> frozenset[str]:
    """The fields of a configuration class; empty where its source can't be found.

    Args:
        config: The class's name: a configuration of TRL's, or ``LoraConfig``.
    """
    package, path = _SOURCES[config]
    own = _fields(package, path)
    if package != "trl" or not own:
        return own
    return own.union(*(_fields(*base) for base in _BASES))


def _fields(package: str, path: str) -> frozenset[str]:
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        source = Path(folder, path)
        if source.is_file():
            tree = ast.parse(source.read_bytes())
            return frozenset(
                statement.target.id
                for node in tree.body
                if isinstance(node, ast.ClassDef)
                for statement in node.body
                if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
            )
    return frozenset()
