"""Whether a checkpoint's files are whole, told from the files alone: no engine is needed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from zipfile import is_zipfile

from aligntune_core.models.tensors import tensors_fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STATE = ("trainer_state.json", "optimizer.pt", "scheduler.pt")
WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "adapter_model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "adapter_model.bin",
)
"""The files that hold a checkpoint's weights, or list those that do."""
_TORCH_FILES = (
    "optimizer.pt",
    "scheduler.pt",
    "scaler.pt",
    "rng_state*.pth",
    "pytorch_model*.bin",
    "adapter_model.bin",
    "value_model/*.bin",
)
_TENSOR_FILES = ("*.safetensors", "value_model/*.safetensors")


def missing_files(checkpoint: Path) -> list[str]:
    """What a checkpoint lacks of what an exact resume needs; empty if every file is there."""
    missing = [name for name in _STATE if not is_written(checkpoint / name)]
    if not any(is_written(checkpoint / name) for name in WEIGHTS):
        missing.append("weights")
    if not any(checkpoint.glob("rng_state*.pth")):
        missing.append("rng_state.pth")
    return missing


def is_written(file: Path) -> bool:
    """Whether a file is there with something in it: a full disk leaves empty files behind."""
    return file.is_file() and file.stat().st_size > 0


def faults(checkpoint: Path) -> list[str]:
    """What keeps a checkpoint from being gone on from, each as what follows its name; empty if it is whole."""
    missing = missing_files(checkpoint)
    found = [f"lacks {', '.join(missing)}"] if missing else []
    return [*found, *(f"has a broken {name}: {why}" for name, why in _broken_files(checkpoint) if name not in missing)]


def _broken_files(checkpoint: Path) -> Iterator[tuple[str, str]]:
    checks = [(checkpoint / "trainer_state.json", _state_fault)]
    checks += [(file, _index_fault) for file in sorted(checkpoint.glob("*.index.json"))]
    checks += [(file, tensors_fault) for pattern in _TENSOR_FILES for file in sorted(checkpoint.glob(pattern))]
    checks += [(file, _torch_fault) for pattern in _TORCH_FILES for file in sorted(checkpoint.glob(pattern))]
    for file, check in checks:
        try:
            why = check(file)
        except FileNotFoundError:
            continue  # what has to be there is missing_files' affair
        except OSError as error:
            why = f"it can't be read ({error.strerror or error})"
        if why:
            yield str(file.relative_to(checkpoint)), why


def _json(file: Path) -> object:
    try:
        return json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return None


def _state_fault(file: Path) -> str:
    state = _json(file)
    if not isinstance(state, dict):
        return "it isn't a JSON object"
    return "" if isinstance(state.get("global_step"), int) else "it names no global_step"


def _index_fault(file: Path) -> str:
    index = _json(file)
    places = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(places, dict):
        return "it isn't an index of weights"
    gone = sorted({str(name) for name in places.values() if not is_written(file.parent / str(name))})
    return f"'{gone[0]}' isn't there" if gone else ""


def _torch_fault(file: Path) -> str:
    with file.open("rb") as stream:
        begins = stream.read(4)
    # before torch 1.6, a file was a row of pickles, which begin with this byte
    if begins[:1] == b"\x80":
        return ""
    if begins != b"PK\x03\x04":
        return "it isn't a file of torch's" if begins else "it is empty"
    return "" if is_zipfile(file) else "it is cut short"
