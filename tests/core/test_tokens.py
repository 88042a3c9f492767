"""What is said of rows once they are tokens. A token here is a letter, a capital is learned from, ``.`` ends."""

import pytest

from aligntune_core import Encoded, Encoding
from aligntune_core.check.tokens import examine_rows

END = ord(".")


def encoding(**changes):
    def encode(row):
        return [
            Encoded([ord(letter) for letter in text], [int(not letter.islower()) for letter in text], name)
            for name, text in row.items()
        ]

    return Encoding(
        **{
            "encode": encode,
            "decode": lambda ids: "".join(map(chr, ids)),
            "end_ids": frozenset({END}),
            "context": 100,
            **changes,
        }
    )


def found(*texts, **changes):
    return examine_rows([{"": text} for text in texts], encoding(**changes))


def codes(*texts, **changes):
    return {problem.code: str(problem.severity) for problem in found(*texts, **changes).problems}


def test_good_rows_draw_nothing():
    assert codes("abCD.", "aB.") == {}


def test_the_lengths_are_counted():
    lengths = found("abCD.", "aB.", "abcdefGH.").lengths
    assert (lengths.rows, lengths.shortest, lengths.median, lengths.longest) == (3, 3, 5, 9)
    assert (lengths.learned, lengths.tokens) == (8, 17)


def test_the_example_tells_what_is_learned_from():
    ((name, spans),) = found("abCD.ef").example
    assert name == ""
    assert [(span.text, span.learned) for span in spans] == [("ab", False), ("CD.", True), ("ef", False)]


def test_the_example_is_shown_as_it_is_cut():
    ((_, spans),) = found("abCDEF.", limit=3).example
    assert [span.text for span in spans] == ["ab", "C"]


@pytest.mark.parametrize(
    ("texts", "changes", "expected"),
    [
        (("abcdeF.", "aB."), {"limit": 4}, {"rows-left-out": "warning"}),
        (("abcdeF.", "abcdE."), {"limit": 4}, {"nothing-to-learn": "error"}),
        (("abc", "def"), {}, {"nothing-to-learn": "error"}),
        (("abCDEF.", "aB."), {"limit": 4}, {"rows-cut": "warning"}),
        # of what is left out whole, nothing is cut
        (("ABCDEF.", "AB."), {"limit": 4, "leaves_out": True}, {"rows-left-out": "warning"}),
        (("ABCDEF.", "ABCDE."), {"limit": 4, "leaves_out": True}, {"nothing-to-learn": "error"}),
        (("abcDE.",), {"limit": 3, "keeps_end": True}, {"rows-cut": "warning"}),
        (("aBCDEFG.",), {"context": 4}, {"beyond-context": "warning"}),
        (("aBCDEFG.",), {"context": 4, "limit": 4}, {"rows-cut": "warning"}),
        (("aBC", "aB."), {}, {"no-end-token": "warning"}),
        # an end token that is not learned from teaches nothing
        (("a.BC",), {"encode": lambda _: [Encoded([97, END, 66], [0, 0, 1])]}, {"no-end-token": "warning"}),
        (("aBC",), {"end_ids": frozenset()}, {}),
        (("aB.",), {"pads_by_id": True, "pad_id": END}, {"pad-is-end": "warning"}),
        (("aB.",), {"pads_by_id": False, "pad_id": END}, {}),
        (("aB.",), {"pads_by_id": True, "pad_id": 0}, {}),
        (("aB.",), {"asks": False}, {"template-does-not-ask": "warning"}),
        (("aB.",), {"asks": True}, {}),
        (
            ("aB.",),
            {"encode": lambda _: [Encoded([97, 66, END], [0, 1, 1], prompt_differs=True)]},
            {"prompt-differs": "warning"},
        ),
        (("abc", "abcdefgh"), {"max_completion_length": 4, "context": 8}, {"prompt-too-long": "error"}),
        (("abc", "abcdef"), {"max_completion_length": 4, "context": 8}, {"prompts-cramped": "warning"}),
        (("abc", "abcd"), {"max_completion_length": 4, "context": 8}, {}),
        (
            ("abc", "abcde"),
            {"max_completion_length": 4, "context": 8, "needs_room": True},
            {"prompt-too-long": "error"},
        ),
        (("abc", "abcd"), {"max_completion_length": 4, "context": 8, "needs_room": True}, {}),
        (("abcdefghijk",), {"max_completion_length": 4, "context": 8, "limit": 3}, {}),
        (("abcdefghijk",), {"max_completion_length": 4, "context": None}, {}),
    ],
)
def test_what_is_wrong_is_said(texts, changes, expected):
    assert codes(*texts, **changes) == expected


def test_both_answers_of_a_pair_count():
    pair = {"chosen": "abC.", "rejected": "abcdeF."}
    tokens = examine_rows([pair, {"chosen": "aB.", "rejected": "aC."}], encoding(limit=4))
    assert tokens.lengths.left_out == 1
    assert [name for name, _ in tokens.example] == ["chosen", "rejected"]


def test_no_more_rows_are_read_than_asked_for():
    def rows():
        yield {"": "aB."}
        yield {"": "aB."}
        raise AssertionError("a third row was read")

    assert examine_rows(rows(), encoding(), most=2).lengths.rows == 2


def test_the_key_to_change_is_the_one_that_was_set():
    (problem,) = found("abCDEF.", limit=4, limit_key="backend_args.max_length").problems
    assert problem.key == "backend_args.max_length"
    assert "backend_args.max_length=4" in problem.message
    assert "longest row has 7 tokens" in problem.fix
    (problem,) = found("abCDEF.", limit=4).problems
    assert problem.key == "max_seq_length"
    assert "the engine's default length of 4 tokens" in problem.message
