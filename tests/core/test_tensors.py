"""What a safetensors file holds is told from its header, and a damaged one is named."""

from __future__ import annotations

import json
from struct import pack

import pytest

from aligntune_core.models.tensors import tensors_fault, tensors_in


def written(folder, header, *, data=0, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    file = folder / "model.safetensors"
    file.write_bytes(pack("<Q", len(text) if length is None else length) + text + bytes(data))
    return file


HEADER = {
    "__metadata__": {"format": "pt"},
    "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
    "b": {"dtype": "F32", "shape": [], "data_offsets": [24, 28]},
}


def test_shapes_and_size_are_those_of_the_file(tmp_path):
    file = written(tmp_path, HEADER, data=28)
    tensors = tensors_in(file)
    assert tensors.shapes == {"a": (2, 3), "b": ()}
    assert tensors.bytes == file.stat().st_size
    assert tensors_fault(file) == ""


@pytest.mark.parametrize(
    ("header", "data", "length", "says"),
    [
        (HEADER, 27, None, "it is cut short"),
        (HEADER, 29, None, "it goes on after its end"),
        (HEADER, 28, 2**60, "it is cut short"),
        (b"no header", 0, None, "its header can't be read"),
        ([1, 2], 0, None, "its header can't be read"),
        ({"a": {"shape": [1]}}, 4, None, "its header can't be read"),
        ({"a": {"data_offsets": [0, 4]}}, 4, None, "its header can't be read"),
        (b"[" * 100_000, 0, None, "its header can't be read"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, header, data, length, says):
    assert tensors_fault(written(tmp_path, header, data=data, length=length)) == says


def test_an_empty_file_is_cut_short(tmp_path):
    file = tmp_path / "model.safetensors"
    file.touch()
    assert tensors_fault(file) == "it is cut short"
