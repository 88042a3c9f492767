"""Rows that nothing can be evaluated on are told by the check and by a launch: no evaluation would ever come."""

import pytest
from trl_runs import DATA, FEW, build, share_of_a

from aligntune import check
from aligntune_core import DataError

LONG = {
    "sft": {"prompt": "ab" * 20, "completion": "cd"},
    "dpo": {"prompt": "ab" * 20, "chosen": "a", "rejected": "b"},
    "reward": {"prompt": "ab" * 20, "chosen": "a", "rejected": "b"},
    "grpo": {"prompt": "ab" * 40},
}


def evaluated(algorithm, letters, rows):
    job = {"model_name": letters, "dataset_name": DATA.get(algorithm, FEW), "eval_dataset_name": rows, "eval_steps": 1}
    if algorithm == "grpo":
        group = {"num_generations": 2, "max_completion_length": 4, "reward_functions": [share_of_a]}
        return {**job, **group, "batch_size": 2}
    return {**job, "max_seq_length": 24}


@pytest.mark.parametrize("algorithm", LONG)
def test_rows_that_nothing_can_be_evaluated_on_are_refused(algorithm, letters, tmp_path):
    job = evaluated(algorithm, letters, [LONG[algorithm]] * 3)
    verdict = check(algorithm=algorithm, backend="trl", level="data", **job)
    (problem,) = verdict.errors
    code = "prompt-too-long" if algorithm == "grpo" else "nothing-to-learn"
    key = "eval_dataset_name" if algorithm == "grpo" else "max_seq_length"
    assert (problem.code, problem.key) == (code, key)
    assert problem.message.startswith("in the evaluation data, ")
    with pytest.raises(DataError, match="in the evaluation data, ") as refused:
        build(algorithm, output_dir=str(tmp_path), **job)
    assert refused.value.code == code


@pytest.mark.parametrize("algorithm", ["sft", "dpo"])
def test_rows_that_an_evaluation_leaves_out_are_counted(algorithm, letters, tmp_path):
    """The last of few is looked at, and what is wrong with the evaluation data is said of it."""
    job = evaluated(algorithm, letters, [*DATA[algorithm][:2], LONG[algorithm]])
    verdict = check(algorithm=algorithm, backend="trl", level="data", **job)
    assert verdict.ok
    run = build(algorithm, output_dir=str(tmp_path), **job)
    assert len(run.trainer.native.eval_dataset) == 2
    for said in ([problem.message for problem in verdict.problems], run.warnings()):
        (found,) = [message for message in said if "in the evaluation data" in message]
        assert "1 of 3 rows" in found


def test_rows_that_can_be_evaluated_on_after_many_that_can_t_are_found(letters):
    job = evaluated("sft", letters, [*[LONG["sft"]] * 5001, DATA["sft"][0]])
    verdict = check(algorithm="sft", backend="trl", level="data", **job)
    assert verdict.ok
    assert "5001 of 5002 rows" in next(str(each) for each in verdict.problems if each.code == "rows-left-out")
