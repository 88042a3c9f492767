"""Where a job's model is: its folder or its name on the hub, and the folder it is written out to."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from aligntune_core.models.cache import cache_folder
from aligntune_trl.models.loading import loading


def model_path(name: str) -> str:
    """The name as transformers takes it: a path for what is built in, the name itself for anything else."""
    if name.startswith("builtin:"):
        from aligntune_core.models.tiny import materialise

        return str(materialise(name))
    return str(Path(name).expanduser()) if name.startswith("~") else name


def is_gguf(name: str) -> bool:
    """Whether a model's name is that of a .gguf file."""
    return name.lower().endswith(".gguf")


def is_adapter(name: str) -> bool:
    """Whether a model's name is that of a folder with an adapter and no whole model."""
    path = Path(name)
    return (path / "adapter_config.json").is_file() and not (path / "config.json").is_file()


def without_weights(model_name: str) -> tuple[str, dict[str, str]]:
    """Where a model's configuration and tokenizer are read from when its weights are left alone.

    Args:
        model_name: The model, as a job names it.

    Returns:
        A hub id or a folder, and what transformers needs to find them there besides.
    """
    name = model_path(model_name)
    path = Path(name)
    if not is_gguf(name) and not is_adapter(name):
        return name, {}
    folder = written_out(path)
    if (folder / "config.json").is_file():
        return str(folder), {}
    if is_gguf(name):
        return str(path.parent), {"gguf_file": path.name}
    with loading(model_name):
        return base_of(path), {}


def tokenizer_place(adapter: Path) -> str:
    """Where the tokenizer of an adapter is: its own folder, or its base model's where it has none.

    Args:
        adapter: The folder with the adapter.
    """
    own = any((adapter / file).is_file() for file in ("tokenizer_config.json", "tokenizer.json", "tokenizer.model"))
    return str(adapter) if own else base_of(adapter)


def base_of(adapter: Path) -> str:
    """The model that an adapter was made for."""
    return str(json.loads((adapter / "adapter_config.json").read_bytes())["base_model_name_or_path"])


def written_out(path: Path) -> Path:
    """Where a .gguf file or an adapter is written out as a whole model, there or not."""
    files = [path] if is_gguf(path.name) else sorted(path.glob("adapter_model.*"))
    stamp = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return cache_folder() / f"{path.stem}-{sha256(repr(stamp).encode()).hexdigest()[:12]}"
