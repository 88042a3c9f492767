"""The names that an engine's configuration class takes, read from its source without importing it."""

from __future__ import annotations

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_SOURCES = {
    "SFTConfig": ("trl", "trainer/sft_config.py"),
    "DPOConfig": ("trl", "trainer/dpo_config.py"),
    "KTOConfig": ("trl", "trainer/kto_config.py"),
    "RewardConfig": ("trl", "trainer/reward_config.py"),
    "GRPOConfig": ("trl", "trainer/grpo_config.py"),
    "RLOOConfig": ("trl", "trainer/rloo_config.py"),
    "PPOConfig": ("aligntune_trl", "ppo/config.py"),
    "LoraConfig": ("peft", "tuners/lora/config.py"),
}
_BASES = {
    "trl": (
        ("trl", "trainer/base_config.py", "_BaseConfig"),
        ("transformers", "training_args.py", "TrainingArguments"),
    ),
    "aligntune_trl": (("transformers", "training_args.py", "TrainingArguments"),),
    "peft": (("peft", "config.py", "PeftConfig"), ("peft", "config.py", "PeftConfigMixin")),
}


@cache
def config_fields(config: str) -> frozenset[str]:
    """The fields of a configuration class; empty where its source can't be found.

    Args:
        config: The class's name: a configuration of TRL's, or ``LoraConfig``.
    """
    package, path = _SOURCES[config]
    own = _fields(package, path, config)
    return own.union(*(_fields(*base) for base in _BASES[package])) if own else own


def _fields(package: str, path: str, name: str) -> frozenset[str]:
    try:
        spec = find_spec(package)
    except ValueError:  # a module of that name was put into the process by hand
        spec = None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        source = Path(folder, path)
        if source.is_file():
            tree = ast.parse(source.read_bytes())
            return frozenset(
                statement.target.id
                for node in tree.body
                if isinstance(node, ast.ClassDef) and node.name == name
                for statement in node.body
                if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
            )
    return frozenset()
