"""What raw rows of each format become."""

from __future__ import annotations

import pytest

from aligntune_core.algorithms import DatasetKind
from aligntune_core.data.formats.recognise import recognise
from aligntune_core.data.formats.table import FORMATS
from aligntune_core.data.formats.unusable import UnusableRow

DEMONSTRATIONS, PAIRS = DatasetKind.DEMONSTRATIONS, DatasetKind.PAIRS
PROMPTS, LABELLED = DatasetKind.PROMPTS, DatasetKind.LABELLED


def says(role, content):
    return {"role": role, "content": content}


def told(who, value):
    return {"from": who, "value": value}


def convert(row, kind):
    return recognise(list(row), row, kind).convert(row)


def reason(row, kind, like=None):
    like = like or row
    with pytest.raises(UnusableRow) as caught:
        recognise(list(like), like, kind).convert(row)
    return caught.value.reason


Q, A, B = says("user", "Two plus two?"), says("assistant", "Four."), says("assistant", "Five.")
SYSTEM = says("system", "Be short.")
HH = "\n\nHuman: Hi\n\nAssistant: Hello.\n\nHuman: What is up?\n\nAssistant: "


@pytest.mark.parametrize(
    ("row", "canonical"),
    [
        (
            {"instruction": "Add.", "input": "2 2", "output": "4"},
            {"prompt": [says("user", "Add.\n\n2 2")], "completion": [says("assistant", "4")]},
        ),
        (
            {"instruction": "Add.", "input": "", "output": "4"},
            {"prompt": [says("user", "Add.")], "completion": [says("assistant", "4")]},
        ),
        (
            {"instruction": "Add.", "output": "4", "system": "Be short."},
            {"prompt": [SYSTEM, says("user", "Add.")], "completion": [says("assistant", "4")]},
        ),
        ({"messages": [SYSTEM, Q, A]}, {"prompt": [SYSTEM, Q], "completion": [A]}),
        ({"messages": [Q, A, Q, B]}, {"messages": [Q, A, Q, B]}),
        (
            {"conversations": [told("human", "Two plus two?"), told("gpt", "Four.")], "system": "Be short."},
            {"prompt": [SYSTEM, Q], "completion": [A]},
        ),
        ({"conversations": [Q, A], "system": ""}, {"prompt": [Q], "completion": [A]}),
        ({"prompt": "2+2=", "completion": "4"}, {"prompt": "2+2=", "completion": "4"}),
        ({"prompt": "2+2=", "response": "4"}, {"prompt": "2+2=", "completion": "4"}),
        ({"prompt": [Q], "completion": [A]}, {"prompt": [Q], "completion": [A]}),
        ({"prompt": "Two plus two?", "completion": A}, {"prompt": [Q], "completion": [A]}),
        ({"prompt": [Q, A, Q], "completion": "Five."}, {"messages": [Q, A, Q, B]}),
        ({"question": "Two plus two?", "answer": "Four."}, {"prompt": [Q], "completion": [A]}),
        ({"text": "Once upon a time."}, {"text": "Once upon a time."}),
        (
            {"instruction": "Add.", "output": "4", "text": "Add. 4"},
            {"prompt": [says("user", "Add.")], "completion": [says("assistant", "4")]},
        ),
        ({"prompt": "2+2=", "completion": "4", "label": True}, {"prompt": "2+2=", "completion": "4"}),
    ],
)
def test_demonstrations(row, canonical):
    assert convert(row, DEMONSTRATIONS) == canonical


@pytest.mark.parametrize(
    ("row", "canonical"),
    [
        (
            {"chosen": HH + "Not much.", "rejected": HH + "Nothing."},
            {
                "prompt": [says("user", "Hi"), says("assistant", "Hello."), says("user", "What is up?")],
                "chosen": [says("assistant", "Not much.")],
                "rejected": [says("assistant", "Nothing.")],
            },
        ),
        (
            {"prompt": "2+2=", "chosen": "4", "rejected": "5"},
            {"prompt": "2+2=", "chosen": "4", "rejected": "5"},
        ),
        ({"prompt": [SYSTEM, Q], "chosen": A, "rejected": B}, {"prompt": [SYSTEM, Q], "chosen": [A], "rejected": [B]}),
        ({"prompt": "Two plus two?", "chosen": [A], "rejected": [B]}, {"prompt": [Q], "chosen": [A], "rejected": [B]}),
        (
            {"chosen": [SYSTEM, Q, A], "rejected": [SYSTEM, Q, B]},
            {"prompt": [SYSTEM, Q], "chosen": [A], "rejected": [B]},
        ),
        (
            {"prompt": "Two plus two?", "chosen": [SYSTEM, Q, A], "rejected": [SYSTEM, Q, B]},
            {"prompt": [SYSTEM, Q], "chosen": [A], "rejected": [B]},
        ),
        (
            {
                "conversations": [told("human", "Two plus two?")],
                "chosen": told("gpt", "Four."),
                "rejected": told("gpt", "Five."),
            },
            {"prompt": [Q], "chosen": [A], "rejected": [B]},
        ),
    ],
)
def test_pairs(row, canonical):
    assert convert(row, PAIRS) == canonical


def test_dialogues_are_split_at_turns_and_not_at_the_first_differing_character():
    row = {"chosen": HH + "I am fine, thanks.", "rejected": HH + "I am fed up."}
    pair = convert(row, PAIRS)
    assert pair["chosen"] == [says("assistant", "I am fine, thanks.")]
    assert pair["rejected"] == [says("assistant", "I am fed up.")]
    assert [turn["role"] for turn in pair["prompt"]] == ["user", "assistant", "user"]


def test_prompts_keep_every_other_column_for_the_reward_functions():
    row = {"question": "Two plus two?", "answer": "So #### 4", "level": 3}
    assert convert(row, PROMPTS) == {**row, "prompt": [Q]}


@pytest.mark.parametrize(
    ("row", "prompt"),
    [
        ({"prompt": "2+2="}, "2+2="),
        ({"prompt": [Q], "solution": "4"}, [Q]),
        ({"prompt": "2+2=", "completion": "4"}, "2+2="),
        ({"instruction": "Add.", "input": "2 2", "output": "4"}, [says("user", "Add.\n\n2 2")]),
        ({"messages": [Q, A]}, [Q]),
        ({"messages": [Q, A, Q]}, [Q, A, Q]),
        (
            {"chosen": HH + "a", "rejected": HH + "b"},
            [says("user", "Hi"), says("assistant", "Hello."), says("user", "What is up?")],
        ),
        ({"prompt": "own", "question": "other", "answer": "4"}, "own"),
    ],
)
def test_prompts(row, prompt):
    assert convert(row, PROMPTS)["prompt"] == prompt


@pytest.mark.parametrize("label", [True, 1, "true", "1"])
def test_labelled_answers(label):
    assert convert({"prompt": "a", "completion": "b", "label": label}, LABELLED)["label"] is True
    long = {"messages": [Q, A, Q, B], "label": label}
    assert convert(long, LABELLED) == {"prompt": [Q, A, Q], "completion": [B], "label": True}


def test_answers_labelled_bad_are_no_demonstrations():
    assert reason({"messages": [Q, B], "label": False}, DEMONSTRATIONS) == "labelled as a bad answer"


def test_what_else_a_message_holds_is_kept_and_gaps_are_not():
    calls = [{"function": {"name": "add", "arguments": "{}"}}]
    call = {"role": "assistant", "content": None, "tool_calls": calls, "name": None}
    row = {"messages": [Q, call, says("tool", "4"), A], "tools": "[]"}
    kept = convert(row, DEMONSTRATIONS)
    assert kept["messages"][1] == {"role": "assistant", "content": "", "tool_calls": calls}
    assert kept["tools"] == "[]"


@pytest.mark.parametrize(
    ("row", "kind", "why"),
    [
        ({"instruction": "Add.", "output": " \n"}, DEMONSTRATIONS, "empty answer"),
        ({"instruction": "Add.", "output": None}, DEMONSTRATIONS, "no answer"),
        ({"instruction": " ", "input": "", "output": "4"}, DEMONSTRATIONS, "empty prompt"),
        ({"instruction": "Add.", "output": 4}, DEMONSTRATIONS, "answer is not text"),
        ({"instruction": "Add.", "output": "\ud800"}, DEMONSTRATIONS, "answer is not valid Unicode"),
        ({"text": ""}, DEMONSTRATIONS, "empty text"),
        ({"messages": []}, DEMONSTRATIONS, "empty conversation"),
        ({"messages": "Hi"}, DEMONSTRATIONS, "conversation is not a list of messages"),
        ({"messages": [Q]}, DEMONSTRATIONS, "no answer at the end"),
        ({"messages": [Q, A, Q]}, DEMONSTRATIONS, "no answer at the end"),
        ({"messages": [A]}, DEMONSTRATIONS, "no prompt"),
        ({"messages": [A, A]}, DEMONSTRATIONS, "no prompt"),
        ({"messages": [Q, says("assistant", "")]}, DEMONSTRATIONS, "empty answer"),
        ({"messages": [Q, says("assistant", None)]}, DEMONSTRATIONS, "no content"),
        ({"messages": [says("narrator", "x"), A]}, DEMONSTRATIONS, "unknown role 'narrator'"),
        ({"messages": [SYSTEM, Q, A], "system": "x"}, DEMONSTRATIONS, "two system prompts"),
        ({"prompt": [Q, A], "completion": "x"}, DEMONSTRATIONS, "prompt ends with an answer"),
        ({"prompt": [Q], "completion": [Q]}, DEMONSTRATIONS, "answer is not an assistant turn"),
        ({"chosen": HH + "a", "rejected": HH + "a"}, PAIRS, "chosen and rejected are the same"),
        ({"prompt": "a", "chosen": "b", "rejected": "b"}, PAIRS, "chosen and rejected are the same"),
        ({"chosen": HH + "a", "rejected": HH}, PAIRS, "empty answer"),
        (
            {"chosen": HH + "a", "rejected": "\n\nHuman: Hi\n\nAssistant: No."},
            PAIRS,
            "chosen and rejected differ before the last answer",
        ),
        (
            {"prompt": "Other?", "chosen": [Q, A], "rejected": [Q, B]},
            PAIRS,
            "prompt is not that of chosen and rejected",
        ),
        ({"conversations": [Q, A], "chosen": A, "rejected": B}, PAIRS, "prompt ends with an answer"),
        ({"prompt": ""}, PROMPTS, "empty prompt"),
    ],
)
def test_rows_that_cannot_be_used_say_why(row, kind, why):
    assert reason(row, kind) == why


def test_a_dialogue_column_with_a_row_that_is_none():
    like = {"chosen": HH + "a", "rejected": HH + "b"}
    assert reason({"chosen": "plain", "rejected": HH + "b"}, PAIRS, like) == "text without Human: and Assistant: turns"


def test_every_format_has_a_name_of_its_own_and_serves_something():
    names = [known.name for known in FORMATS]
    assert len(set(names)) == len(names)
    assert all(known.readers for known in FORMATS)
