"""Whether a folder that a job names as its model holds whole files, found without reading any weights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aligntune_core import Problem
from aligntune_core.models.source import ModelKind, model_source
from aligntune_core.models.tensors import tensors_fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.pth", "*.gguf", "*.index.json")
_AGAIN = "Copy or download the folder again."


def model_problems(key: str, name: str) -> Iterator[Problem]:
    """What is missing from a local model folder, or damaged in it; nothing for any other model.

    Args:
        key: The job key that names the model.
        name: The model, as the job names it.
    """
    source = model_source(name)
    if source.path is None or not source.is_local:
        return
    config = source.path / ("adapter_config.json" if source.kind is ModelKind.ADAPTER else "config.json")
    try:
        message = _damage(source.path, config) if config.is_file() else ""
    except (OSError, ValueError):
        return
    if message:
        yield Problem("model-broken", f"the model '{name}' can't be loaded: {message}.", _AGAIN, key)


def _damage(folder: Path, config: Path) -> str:
    try:
        if not isinstance(json.loads(config.read_bytes()), dict):
            return f"its {config.name} holds no settings"
    except ValueError as error:
        return f"its {config.name} is not valid JSON ({error})"
    if not any(True for pattern in _WEIGHTS for _ in folder.glob(pattern)):
        return "the folder holds no weights, such as model.safetensors"
    stem = "adapter_model" if config.name == "adapter_config.json" else "model"
    for file in _shards(folder, stem):
        if isinstance(file, str):
            return file
        if reason := tensors_fault(file):
            return f"{file.name} is damaged: {reason}"
    return ""


def _shards(folder: Path, stem: str) -> Iterator[Path | str]:
    """The safetensors files that would be loaded, or what is wrong with the list of them."""
    whole, index = folder / f"{stem}.safetensors", folder / f"{stem}.safetensors.index.json"
    if whole.is_file():
        yield whole
    elif index.is_file():
        try:
            names = sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
        except (ValueError, KeyError, TypeError, AttributeError):
            yield f"its {index.name} can't be read"
            return
        for name in names:
            yield folder / name if (folder / name).is_file() else f"{name} is missing, which {index.name} lists"
