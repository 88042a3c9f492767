"""How a dataset's format is found, and what is said when it isn't."""

from __future__ import annotations

import pytest

from aligntune_core.algorithms import DatasetKind
from aligntune_core.data.formats.recognise import recognise
from aligntune_core.errors import DataError

DEMONSTRATIONS, PAIRS = DatasetKind.DEMONSTRATIONS, DatasetKind.PAIRS
DIALOGUE = "\n\nHuman: Hi\n\nAssistant: Hello."


def refusal(row, kind, mapping=None, algorithm="dpo"):
    with pytest.raises(DataError) as caught:
        recognise(list(row), row, kind, mapping, algorithm=algorithm)
    return caught.value


@pytest.mark.parametrize(
    ("row", "kind", "name"),
    [
        ({"chosen": DIALOGUE, "rejected": DIALOGUE}, PAIRS, "hh_rlhf"),
        ({"prompt": "", "chosen": "a", "rejected": "b"}, PAIRS, "preference"),
        ({"chosen": [], "rejected": []}, PAIRS, "conversation_preference"),
        ({"instruction": "", "input": "", "output": "", "text": ""}, DEMONSTRATIONS, "alpaca"),
        ({"prompt": "", "messages": [], "chosen": [], "rejected": []}, DEMONSTRATIONS, "messages"),
        ({"messages": [], "label": 7}, DEMONSTRATIONS, "messages"),
        ({"messages": [], "label": True}, DEMONSTRATIONS, "labelled_messages"),
        ({"prompt": "", "answer": ""}, DatasetKind.PROMPTS, "prompt"),
    ],
)
def test_the_most_specific_format_is_taken(row, kind, name):
    assert recognise(list(row), row, kind).format.name == name


def test_a_format_of_the_wrong_kind_is_named():
    error = refusal({"instruction": "a", "input": "", "output": "b"}, PAIRS)
    assert "'alpaca', which holds demonstrations" in error.message
    assert "'dpo' learns from preference pairs" in error.message
    assert "'sft'" in error.fix
    assert "prompt+chosen+rejected" in error.fix


def test_conversations_of_a_preference_dataset_are_not_taken_for_demonstrations():
    row = {"conversations": [], "chosen": {}, "rejected": {}}
    assert "holds preference pairs" in refusal(row, DEMONSTRATIONS, algorithm="sft").message


def test_unknown_columns_get_the_closest_format_and_a_mapping_that_works():
    row = {"query": "a", "accepted": "b", "worse": "c"}
    error = refusal(row, PAIRS)
    assert "'query', 'accepted', 'worse'" in error.message
    assert "closest format is 'preference'" in error.message
    mapping = {"query": "prompt", "accepted": "chosen", "worse": "rejected"}
    assert f"column_mapping={mapping}" in error.fix
    canonical = recognise(list(row), row, PAIRS, mapping).convert(row)
    assert canonical == {"prompt": "a", "chosen": "b", "rejected": "c"}


def test_plain_answers_without_a_prompt_miss_the_prompt():
    error = refusal({"chosen": "a", "rejected": "b"}, PAIRS)
    assert "missing: 'prompt'" in error.message


def test_no_column_is_guessed_from_nothing():
    assert "YOUR_OUTPUT_COLUMN" in refusal({"instruction": "a", "id": 1}, DEMONSTRATIONS).fix


@pytest.mark.parametrize(
    ("mapping", "message", "fix"),
    [
        ({"qery": "instruction"}, "names the column 'qery'", "'query'"),
        ({"instruction": "query"}, "names the column 'instruction'", "{'query': 'instruction'}"),
        ({"query": "instrction"}, "a column of no known format", "'instruction'"),
        ({"query": "instruction", "reply": "instruction"}, "two columns called 'instruction'", "Map"),
        ({"query": "output"}, "two columns called 'output'", "Map"),
    ],
)
def test_a_wrong_column_mapping_is_refused(mapping, message, fix):
    error = refusal({"query": "a", "reply": "b", "output": "c"}, DEMONSTRATIONS, mapping)
    assert message in error.message
    assert fix in error.fix


def test_a_mapping_decides_between_two_formats():
    row = {"messages": [], "q": "a", "a": "b"}
    assert recognise(list(row), row, DEMONSTRATIONS, {"q": "question", "a": "answer"}).format.name == "question_answer"


def test_a_mapping_that_the_format_does_not_read_is_refused():
    error = refusal({"messages": [], "q": "a"}, DEMONSTRATIONS, {"q": "question"})
    assert "maps 'q' to 'question'" in error.message
    assert "'messages'" in error.message


def test_a_prompt_dataset_may_name_columns_for_its_reward_functions():
    row = {"prompt": "a", "gold": "4"}
    found = recognise(list(row), row, DatasetKind.PROMPTS, {"gold": "ground_truth"})
    assert found.convert(row) == {"prompt": "a", "ground_truth": "4"}
