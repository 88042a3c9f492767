"""What a model's name stands for: the hub's, a folder, an adapter, a .gguf file, or what is built in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from aligntune_core.machine.disk import exists, expanded, holds
from aligntune_core.models.cache import cache_folder
from aligntune_core.wording import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

_PREFIX = "builtin:"
BUILTIN_MODELS = {"builtin:tiny": "tiny-1"}
"""The built-in models, with their folders in the cache; each ends with the number of what it is made by."""


class ModelKind(Enum):
    """What a model's name can stand for."""

    HUB = "hub"
    """A name on the hub."""
    FOLDER = "folder"
    """A path that is none of the others, there or not."""
    ADAPTER = "adapter"
    """A folder with an adapter and no whole model."""
    GGUF = "gguf"
    """A .gguf file, there or not."""
    BUILTIN = "builtin"
    """A model that AlignTune makes on the spot."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where a model comes from.

    Args:
        name: The name, as a job has it.
        kind: What it stands for.
        path: Where that is on this machine, there or not; None on the hub, and for a built-in model of no such name.
    """

    name: str
    kind: ModelKind
    path: Path | None = None

    @property
    def is_local(self) -> bool:
        """Whether the name is that of a path."""
        return self.kind not in {ModelKind.HUB, ModelKind.BUILTIN}

    @property
    def is_there(self) -> bool:
        """Whether there is something on this machine's disk; a built-in model is there once it was made."""
        return self.path is not None and exists(self.path)

    @property
    def place(self) -> str:
        """The name as engines take it: the path of what is built in or in a person's home, else the name itself."""
        if self.path is None or not (self.kind is ModelKind.BUILTIN or self.name.startswith("~")):
            return self.name
        return str(self.path)


def model_source(name: str) -> ModelSource:
    """What a model's name stands for, told from its form and from this machine's disk.

    Args:
        name: The model, as a job names it: a hub id, a path or ``builtin:NAME``.
    """
    if name.startswith(_PREFIX):
        folder = BUILTIN_MODELS.get(name)
        return ModelSource(name, ModelKind.BUILTIN, cache_folder() / folder if folder else None)
    path = expanded(name)
    if name.lower().endswith(".gguf"):
        return ModelSource(name, ModelKind.GGUF, path)
    if holds(path, "adapter_config.json") and not holds(path, "config.json"):
        return ModelSource(name, ModelKind.ADAPTER, path)
    if _has_path_form(name) or exists(path):
        return ModelSource(name, ModelKind.FOLDER, path)
    return ModelSource(name, ModelKind.HUB)


def no_such_builtin(name: str) -> tuple[str, str]:
    """What is said of a built-in model's name that there is none of, and what to do.

    Args:
        name: The name.
    """
    return f"there is no model '{name}'.", did_you_mean(name, tuple(BUILTIN_MODELS))


def _has_path_form(name: str) -> bool:
    return name.startswith((".", "/", "~")) or "\\" in name or name.count("/") > 1
