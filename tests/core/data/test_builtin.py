"""The datasets that come along."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from aligntune_core.algorithms import DatasetKind
from aligntune_core.data.builtin import BUILTIN_DATASETS, all_texts, builtin_rows
from aligntune_core.data.formats.recognise import recognise
from aligntune_core.errors import DataError


@pytest.mark.parametrize(
    ("name", "kind", "least"),
    [
        ("builtin:instructions", DatasetKind.DEMONSTRATIONS, 150),
        ("builtin:preferences", DatasetKind.PAIRS, 100),
        ("builtin:arithmetic", DatasetKind.PROMPTS, 200),
    ],
)
def test_every_row_can_be_used_and_the_test_split_is_held_out(name, kind, least):
    train, test = builtin_rows(name), builtin_rows(name, "test")
    assert len(train) >= least
    assert len(test) >= 15
    assert not [row for row in test if row in train]
    for row in train + test:
        assert recognise(list(row), row, kind).convert(row)["prompt"]


def test_the_answers_of_arithmetic_are_right():
    for row in builtin_rows("builtin:arithmetic") + builtin_rows("builtin:arithmetic", "test"):
        left, sign, right, result, final = re.fullmatch(
            r"(\d+) ([+-]) (\d+) = (\d+)\n#### (\d+)", row["answer"]
        ).groups()
        assert int(final) == int(result) == int(left) + int(sign + right)
        assert re.findall(r"\d+", row["question"]) == [left, right]


def test_no_prompt_is_held_out_and_trained_on():
    for name in ("preferences", "arithmetic"):
        key = "prompt" if name == "preferences" else "question"
        train = {row[key] for row in builtin_rows(name)}
        assert not train & {row[key] for row in builtin_rows(name, "test")}


def test_an_unknown_name_or_split_gets_a_suggestion():
    with pytest.raises(DataError, match=r"no built-in dataset 'builtin:instruction'.*'instructions'"):
        builtin_rows("builtin:instruction")
    with pytest.raises(DataError, match=r"no split 'dev'.*test, train"):
        builtin_rows("builtin:arithmetic", "dev")


def test_all_texts_come_in_one_order():
    assert all_texts() == all_texts()
    assert len(all_texts()) > 1000
    assert len(BUILTIN_DATASETS) == 3


def test_the_data_modules_import_nothing_heavy():
    code = (
        "import sys, aligntune_core.data.prepare, aligntune_core.data as d;"
        "print([m for m in ('torch', 'numpy', 'datasets', 'pandas', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
