"""Whatever a row holds, it becomes a canonical row or is said to be unusable."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aligntune_core.algorithms import DatasetKind
from aligntune_core.data.formats.messages import ROLES
from aligntune_core.data.formats.recognise import recognise
from aligntune_core.data.formats.shapes import in_shape, shape_of
from aligntune_core.data.formats.table import FORMATS
from aligntune_core.data.formats.unusable import UnusableRow
from aligntune_core.errors import DataError

texts = st.sampled_from(["", " ", "a", "b", "\ud800", "\n\nHuman: a\n\nAssistant: b", "\n\nHuman: a\n\nAssistant:"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.text()
roles = st.sampled_from([*ROLES, "narrator"]) | scalars
turns = st.fixed_dictionaries({"role": roles, "content": texts | scalars}) | st.fixed_dictionaries(
    {"from": roles, "value": texts | scalars}, optional={"tool_calls": scalars}
)
plain_turns = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": st.sampled_from("ab")})
values = (
    scalars | turns | st.lists(turns, max_size=4) | st.lists(plain_turns, max_size=5) | st.lists(scalars, max_size=3)
)
columns = sorted({column for known in FORMATS for column in known.columns})
rows = st.dictionaries(st.sampled_from(columns), values) | st.dictionaries(st.text(), values, max_size=3)
served = [(known, kind) for known in FORMATS for kind in known.kinds]


def one_shape(rows, kind):
    return in_shape(rows, kind, shape_of(rows, kind))


SHAPES = {
    DatasetKind.DEMONSTRATIONS: [{"prompt", "completion"}, {"messages"}, {"text"}],
    DatasetKind.PAIRS: [{"prompt", "chosen", "rejected"}],
    DatasetKind.LABELLED: [{"prompt", "completion", "label"}],
}


def check(canonical, kind):
    if kind is DatasetKind.PROMPTS:
        turn_lists = [canonical["prompt"]]
    else:
        assert set(canonical) - {"tools"} in SHAPES[kind]
        turn_lists = [value for key, value in canonical.items() if key not in ("label", "text", "tools")]
    assert len({type(value) for value in turn_lists}) <= 1
    for value in turn_lists:
        assert value
        if isinstance(value, list):
            assert all(
                turn["role"] in ("system", "user", "assistant", "tool") and isinstance(turn["content"], str)
                for turn in value
            )


@pytest.mark.parametrize(("known", "kind"), served, ids=lambda value: getattr(value, "name", str(value)).lower())
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_reader_gives_a_canonical_row_or_a_reason(known, kind, data):
    row = data.draw(st.fixed_dictionaries(dict.fromkeys(known.needs, values)))
    reason, canonical = "", None
    try:
        canonical = known.readers[kind](row)
    except UnusableRow as unusable:
        reason = unusable.reason
    if canonical is None:
        assert 0 < len(reason) < 80
    else:
        check(canonical, kind)


@pytest.mark.parametrize("kind", list(DatasetKind))
@settings(max_examples=300, deadline=None)
@given(row=rows)
def test_any_row_is_converted_or_refused(row, kind):
    try:
        canonical = recognise(list(row), row, kind, algorithm="x").convert(row)
    except (UnusableRow, DataError):
        return
    check(canonical, kind)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(plain_turns, max_size=6), min_size=1, max_size=6))
def test_all_rows_come_out_in_one_shape(conversations):
    recognised = recognise(["messages"], {"messages": []}, DatasetKind.DEMONSTRATIONS)
    made = []
    for messages in conversations:
        try:
            made.append((messages, recognised.convert({"messages": messages})))
        except UnusableRow:
            continue
    shaped = one_shape([row for _, row in made], DatasetKind.DEMONSTRATIONS)
    assert len({tuple(sorted(row)) for row in shaped}) <= 1
    for (messages, _), row in zip(made, shaped, strict=True):
        assert row.get("messages") or row["prompt"] + row["completion"] == messages
        if "messages" in row:
            assert row["messages"] == messages


columns_of_any_kind = st.sampled_from([*columns, "Text", "PROMPT", "response_j", "\ud800", "a\nb", ""]) | st.text(
    max_size=5
)
names_of_any_kind = columns_of_any_kind | st.integers() | st.none() | st.booleans()


@settings(max_examples=300, deadline=None)
@given(
    names=st.lists(names_of_any_kind, max_size=6),
    row=st.dictionaries(names_of_any_kind, values, max_size=6),
    kind=st.sampled_from(DatasetKind),
    mapping=st.none() | st.dictionaries(columns_of_any_kind, columns_of_any_kind, max_size=4),
)
def test_any_columns_and_mapping_are_a_format_or_an_error(names, row, kind, mapping):
    for there in (names, list(row)):
        try:
            recognised = recognise(there, row, kind, mapping, algorithm="x")
        except DataError:
            continue
        else:
            assert kind in recognised.format.kinds
            assert set(recognised.format.needs) <= {(mapping or {}).get(column, column) for column in there}


QUESTION, ANSWER = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
HUMAN, GPT = {"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}
GOOD = {
    "labelled_completion": {"prompt": "q", "completion": "a", "label": True},
    "labelled_messages": {"messages": [QUESTION, ANSWER], "label": 1},
    "hh_rlhf": {"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"},
    "preference": {"prompt": "q", "chosen": "a", "rejected": "b"},
    "sharegpt_preference": {"conversations": [HUMAN], "chosen": "a", "rejected": "b"},
    "conversation_preference": {"chosen": [QUESTION, ANSWER], "rejected": [QUESTION, {**ANSWER, "content": "b"}]},
    "prompt_completion": {"prompt": [QUESTION], "completion": [ANSWER]},
    "prompt_response": {"prompt": "q", "response": "a"},
    "prompt": {"prompt": [QUESTION]},
    "messages": {"messages": [QUESTION, ANSWER, QUESTION, ANSWER], "system": "s", "tools": []},
    "sharegpt": {"conversations": [HUMAN, GPT]},
    "alpaca": {"instruction": "q", "input": "i", "output": "a"},
    "question_answer": {"question": "q", "answer": "a"},
    "text": {"text": "t"},
}
poked_in = values | st.sampled_from(
    [
        b"x",
        (1, 2),
        {1: 2},
        {None: 1},
        {"role": None},
        {"role": "user"},
        {**ANSWER, "tool_calls": [{}]},
        [None],
        [[]],
        1j,
    ]
)


def poked(value, path, new):
    if path and isinstance(value, dict) and value:
        key = list(value)[path[0] % len(value)]
        return {**value, key: poked(value[key], path[1:], new)}
    if path and isinstance(value, list) and value:
        at = path[0] % len(value)
        return [*value[:at], poked(value[at], path[1:], new), *value[at + 1 :]]
    return new


def test_these_tests_know_every_format():
    for known in FORMATS:
        row = GOOD[known.name]
        assert recognise(list(row), row, known.kinds[0]).format is known
        check(recognise(list(row), row, known.kinds[0]).convert(row), known.kinds[0])


@pytest.mark.parametrize(("known", "kind"), served, ids=lambda value: getattr(value, "name", str(value)).lower())
@settings(max_examples=60, deadline=None)
@given(pokes=st.lists(st.tuples(st.lists(st.integers(0, 3), min_size=1, max_size=4), poked_in), min_size=1, max_size=3))
def test_a_good_row_with_something_odd_in_it_is_converted_or_refused(known, kind, pokes):
    row = GOOD[known.name]
    for path, new in pokes:
        row = poked(row, path, new)
    try:
        canonical = recognise(list(row), row, kind).convert(row)
    except (UnusableRow, DataError):
        return
    check(canonical, kind)


@pytest.mark.parametrize("column", [1, None, ("a",)])
def test_a_column_that_is_no_word(column):
    with pytest.raises(DataError, match=r"a column of the dataset is called .*, which is not text"):
        recognise(["prompt", column], {"prompt": "q", column: 1}, DatasetKind.PROMPTS)


def test_texts_and_messages_are_brought_to_messages():
    texts_row = {"prompt": "a", "chosen": "b", "rejected": "c"}
    turns_row = {key: [{"role": "user", "content": "x"}] for key in texts_row}
    first, second = one_shape([texts_row, turns_row], DatasetKind.PAIRS)
    assert first["chosen"] == [{"role": "assistant", "content": "b"}]
    assert second == turns_row


def test_columns_kept_beside_a_prompt_stay_as_they_are():
    rows = [{"prompt": "a", "messages": [1], "completion": "x"}, {"prompt": "b", "messages": [2], "completion": "y"}]
    assert one_shape(rows, DatasetKind.PROMPTS) == rows
