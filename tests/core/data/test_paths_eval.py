"""Which rows are evaluated where the job does not say."""

import pytest

from aligntune import check
from aligntune_core.data.files.paths import eval_split
from aligntune_core.errors import DataError


def test_the_rows_that_are_trained_on_are_not_evaluated(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("one.jsonl", "two.jsonl"):
        (tmp_path / name).write_text('{"prompt": "a", "completion": "b"}\n')
    assert eval_split("two.jsonl", "one.jsonl") == "train"
    with pytest.raises(DataError, match="the very rows that are trained on"):
        eval_split("./one.jsonl", "one.jsonl")
    job = {"algorithm": "sft", "model_name": "builtin:tiny", "dataset_name": "one.jsonl"}
    found = {problem.key for problem in check(**job, eval_dataset_name="one.jsonl").errors}
    assert "eval_dataset_name" in found
    assert "eval_dataset_name" not in {problem.key for problem in check(**job, eval_dataset_name="two.jsonl").errors}
