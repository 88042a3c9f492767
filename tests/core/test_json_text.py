"""JSON is the same value however it is laid out, and a row of many is a line."""

from __future__ import annotations

import json
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligntune_core.console.json_text import laid_out, write_json

TEXTS = st.text('ab{}[],:" \n\\', max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)
ROWS = st.lists(st.dictionaries(TEXTS, VALUES, max_size=3), max_size=4)


@given(VALUES | ROWS, st.integers(0, 4))
def test_what_is_laid_out_is_read_as_it_was(value, depth):
    assert json.loads(laid_out(value, depth=depth)) == value


@given(st.lists(st.dictionaries(TEXTS, TEXTS | st.integers() | st.lists(TEXTS, max_size=2), max_size=3), min_size=1))
def test_a_row_is_a_line(rows):
    lines = laid_out({"rows": rows}, depth=2).splitlines()
    assert [json.loads(line.strip().removesuffix(",")) for line in lines[2:-2]] == rows


def test_layers_have_a_line_for_each_member():
    value = {"a": {"b": [1, 2], "c": {"d": 1}}, "e": [{"f": [1]}, {"g": {}}], "h": []}
    assert laid_out(value, depth=2) == (
        "{\n"
        '  "a": {\n'
        '    "b": [1, 2],\n'
        '    "c": {"d": 1}\n'
        "  },\n"
        '  "e": [\n'
        '    {"f": [1]},\n'
        '    {"g": {}}\n'
        "  ],\n"
        '  "h": []\n'
        "}"
    )


def test_what_json_does_not_have_is_written_all_the_same(capsys):
    value = MappingProxyType(
        {"none": float("nan"), "rows": [{"inf": float("inf")}, {"text": MappingProxyType({1: 2})}]}
    )
    write_json(value, depth=2)
    assert json.loads(capsys.readouterr().out) == {"none": None, "rows": [{"inf": None}, {"text": {"1": 2}}]}
    assert laid_out({"type": pytest}, depth=1).startswith('{\n  "type": "<module')
