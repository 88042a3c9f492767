"""What a safetensors file says of its tensors, read from its header alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from struct import unpack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_CUT = "it is cut short"


@dataclass(frozen=True, slots=True)
class Tensors:
    """The tensors of a file.

    Args:
        shapes: Their shapes by name.
        bytes: How large the file is that holds them all.
    """

    shapes: Mapping[str, tuple[int, ...]]
    bytes: int


def tensors_in(file: Path) -> Tensors:
    """The tensors of a safetensors file: 8 bytes with its header's length, the header, tensors without gaps.

    Args:
        file: The file.

    Raises:
        OSError: If it can't be read.
        ValueError: If its header is not whole, in words that follow the file's name.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        begins = stream.read(8)
        length = unpack("<Q", begins)[0] if len(begins) == 8 else size
        if 8 + length > size:
            raise ValueError(_CUT)
        try:
            header = json.loads(stream.read(length))
            entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
            end = max((entry["data_offsets"][1] for entry in entries.values()), default=0)
            return Tensors({name: tuple(entry["shape"]) for name, entry in entries.items()}, 8 + length + end)
        except (ValueError, RecursionError, AttributeError, LookupError, TypeError):
            raise ValueError("its header can't be read") from None


def tensors_fault(file: Path) -> str:
    """Why a safetensors file can't be whole; empty if nothing speaks against it.

    Args:
        file: The file.

    Raises:
        OSError: If it can't be read.
    """
    try:
        expected = tensors_in(file).bytes
    except ValueError as error:
        return str(error)
    size = file.stat().st_size
    if expected > size:
        return _CUT
    return "it goes on after its end" if expected < size else ""
