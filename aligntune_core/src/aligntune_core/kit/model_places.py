"""From what a model's name stands for to where transformers finds it, its tokenizer and what it is written out to."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from aligntune_core.kit.loading import loading
from aligntune_core.machine.cache_folder import cache_folder
from aligntune_core.models.source import ModelKind, model_source

if TYPE_CHECKING:
    from pathlib import Path

    from aligntune_core.models.source import ModelSource


def available(name: str) -> ModelSource:
    """What a model's name stands for; a built-in model is made if it is not there yet.

    Args:
        name: The model, as a job names it.

    Raises:
        ModelError: If there is no built-in model of that name, or it can't be made.
    """
    source = model_source(name)
    if source.kind is ModelKind.BUILTIN:
        from aligntune_core.models.tiny import materialise

        materialise(name)
    return source


def written_out(source: ModelSource) -> Path | None:
    """Where a .gguf file or an adapter is written out as a whole model, there or not; None for any other model.

    Args:
        source: The model, which is there.
    """
    path = source.path
    if path is None or source.kind not in {ModelKind.GGUF, ModelKind.ADAPTER}:
        return None
    files = [path] if source.kind is ModelKind.GGUF else sorted(path.glob("adapter_model.*"))
    stamp = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return cache_folder() / f"{path.stem}-{sha256(repr(stamp).encode()).hexdigest()[:12]}"


def without_weights(name: str) -> tuple[str, dict[str, str]]:
    """Where a model's configuration and tokenizer are read from when its weights are left alone.

    Args:
        name: The model, as a job names it.

    Returns:
        A hub id or a folder, and what transformers needs to find them there besides.

    Raises:
        ModelError: If it is an adapter that names no base model, or a built-in model that there is none of.
    """
    source = available(name)
    folder = written_out(source)
    if folder is None or source.path is None:
        return source.place, {}
    if (folder / "config.json").is_file():
        return str(folder), {}
    if source.kind is ModelKind.GGUF:
        return str(source.path.parent), {"gguf_file": source.path.name}
    with loading(name):
        return _base(source.path), {}


def tokenizer_place(adapter: Path) -> str:
    """Where the tokenizer of an adapter is: its own folder, or its base model's where it has none.

    Args:
        adapter: The folder with the adapter.
    """
    own = any((adapter / file).is_file() for file in ("tokenizer_config.json", "tokenizer.json", "tokenizer.model"))
    return str(adapter) if own else _base(adapter)


def _base(adapter: Path) -> str:
    """The model that an adapter was made for."""
    return str(json.loads((adapter / "adapter_config.json").read_bytes())["base_model_name_or_path"])
