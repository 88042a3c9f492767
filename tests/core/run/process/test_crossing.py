"""Values, events and errors that cross between two processes are what they were."""

from __future__ import annotations

import pickle
import socket
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aligntune_core import errors, events
from aligntune_core.backends.hooks import HookError
from aligntune_core.problem import Problem, Severity
from aligntune_core.run.process.channel import Channel, NotAFrameError
from aligntune_core.run.process.raised import error_from_json, error_to_json
from aligntune_core.run.process.values import CannotCrossError, as_bytes, from_json, of_bytes, to_json
from aligntune_core.trainer import TrainResult

SOME = settings(max_examples=60, deadline=None)
TEXT = st.text(st.characters(exclude_categories=()))
"""Any text, lone surrogates and pairs of them among it."""
NUMBERS = st.floats() | st.integers() | st.integers(min_value=10**300, max_value=10**400)
PLAIN = st.none() | st.booleans() | NUMBERS | TEXT | st.binary(max_size=8)
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(TEXT, inner, max_size=3)
        | st.dictionaries(st.integers() | st.tuples(TEXT), inner, max_size=2)
    ),
    max_leaves=12,
)
METRICS = st.dictionaries(TEXT, NUMBERS, max_size=4)
COUNTS = st.integers(min_value=0, max_value=10**30)
BY_TYPE = {
    "str": TEXT,
    "int": COUNTS,
    "float": st.floats(),
    "bool": st.booleans(),
    "float | None": st.none() | st.floats(),
    "tuple[str, ...]": st.lists(TEXT).map(tuple),
    "Mapping[str, str]": st.dictionaries(TEXT, TEXT),
    "Mapping[str, int]": st.dictionaries(TEXT, COUNTS),
    "Mapping[str, float]": METRICS,
    "Mapping[str, Any]": st.dictionaries(TEXT, VALUES, max_size=2),
    "Severity": st.sampled_from(Severity),
}


def instances(kind):
    """Values of a dataclass, each field of any value that its type allows."""
    return st.builds(kind, **{each.name: BY_TYPE[str(each.type)] for each in fields(kind)})


EVENTS = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.Event)]
EVENTS.remove(events.Event)


def crossed(value):
    return from_json(of_bytes(as_bytes({"value": to_json(value)}))["value"])


def same(one, other):
    """Equal in value and type all through, where what is no number is equal to itself."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, each.name), getattr(other, each.name)) for each in fields(one))
    return one == other


@SOME
@given(VALUES)
def test_every_value_crosses_unchanged(value):
    assert same(crossed(value), value)


@pytest.mark.parametrize(
    "value",
    [{"$": 1}, {"$": "int", "of": "x"}, "\ud83d\ude00", 10**5000, Path("a/b"), {1, 2}, -0.0, ()],
    ids=range(8),
)
def test_values_that_look_like_something_else_cross_unchanged(value):
    assert same(crossed(value), value)


@pytest.mark.parametrize("kind", [*EVENTS, Problem, TrainResult], ids=lambda kind: kind.__name__)
@SOME
@given(data=st.data())
def test_every_event_crosses_unchanged(kind, data):
    value = data.draw(instances(kind))
    assert same(crossed(value), value)


def test_every_event_of_the_contract_is_among_them():
    assert {kind.__name__ for kind in EVENTS} >= {"Decided", "DataReady", "Notice", "Started", "Stepped", "Finished"}


def test_what_cannot_cross_is_named():
    with pytest.raises(CannotCrossError, match=r"a\.b\[1\] is of type object"):
        to_json({"a": {"b": [1, object()]}})


def raised(error, cause=None):
    try:
        raise error from cause
    except BaseException as caught:
        return caught


def over(error, kept=None):
    return error_from_json(of_bytes(as_bytes(error_to_json(error, "c1"))), kept or {})


ALIGNTUNE = [
    kind for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.AlignTuneError) and kind is not errors.JobError
]  # fmt: skip


@pytest.mark.parametrize("kind", ALIGNTUNE, ids=lambda kind: kind.__name__)
@SOME
@given(message=TEXT, fix=TEXT, code=TEXT, reason=TEXT)
def test_every_error_of_aligntune_crosses_unchanged(kind, message, fix, code, reason):
    error = raised(kind(message, fix=fix, code=code), ValueError(reason))
    there = over(error)
    assert type(there) is kind
    assert (there.message, there.fix, there.code, there.exit_code) == (message, fix, error.code, kind.exit_code)
    assert (str(there), there.to_dict(), there.args) == (str(error), error.to_dict(), error.args)
    assert repr(there.__cause__) == repr(error.__cause__)


@SOME
@given(st.lists(instances(Problem), max_size=3))
def test_a_refusal_crosses_with_all_its_problems(problems):
    there = over(raised(errors.JobError(problems)))
    assert type(there) is errors.JobError
    assert there.problems == tuple(problems)
    assert str(there) == str(errors.JobError(problems))


@pytest.mark.parametrize(
    "error",
    [
        KeyError("k"), OSError(2, "no", "f"), FileNotFoundError(2, "no such", "x"), SystemExit(3), KeyboardInterrupt(),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), ValueError("\ud800"), MemoryError(), StopIteration(4),
        ValueError(object()), RecursionError("deep"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_an_exception_of_python_crosses_with_its_class_and_words(error):
    there = over(raised(error))
    assert type(there).__name__ == type(error).__name__
    assert isinstance(there, type(error).__mro__[0 if type(there) is type(error) else 1])
    assert str(there) == str(error)
    assert there.__notes__[-1].startswith("Raised in the other process:\nTraceback (most recent call last):")


def test_a_group_of_exceptions_keeps_its_words():
    there = over(raised(ExceptionGroup("several", [ValueError("a")])))
    assert (type(there).__name__, str(there)) == ("ExceptionGroup", "several (1 sub-exception)")


class OutOfMemoryError(RuntimeError):
    def __init__(self, device, amount):
        super().__init__(f"{device} has not {amount}")


class Unwilling(Exception):  # noqa: N818
    def __str__(self):
        raise ZeroDivisionError


def test_an_exception_of_an_engine_is_of_the_nearest_class_under_its_name():
    there = over(raised(OutOfMemoryError("cuda:0", "2 GiB")))
    assert isinstance(there, RuntimeError)
    assert (type(there).__name__, type(there).__module__, str(there)) == (
        "OutOfMemoryError", __name__, "cuda:0 has not 2 GiB",
    )  # fmt: skip
    assert str(over(raised(Unwilling()))) == "<Unwilling>"
    hook = over(raised(HookError("it failed", fix="report")))
    assert isinstance(hook, errors.BackendError)
    assert (type(hook).__name__, hook.fix, hook.code) == ("HookError", "report", "backend")


def test_causes_and_contexts_cross_as_deep_as_they_are():
    error = raised(errors.DataError("a"), raised(OSError("b"), raised(ValueError("c"))))
    there = over(error)
    assert [type(each).__name__ for each in (there, there.__cause__, there.__cause__.__cause__)] == [
        "DataError", "OSError", "ValueError",
    ]  # fmt: skip
    try:
        try:
            raise ValueError("first")
        except ValueError:
            raise KeyError("second")  # noqa: B904
    except KeyError as second:
        there = over(second)
    assert repr(there.__context__) == "ValueError('first')"


def test_an_exception_that_comes_back_is_itself():
    original = raised(ZeroDivisionError("mine"))
    there = over(original)
    wrapped = raised(errors.RewardError("it failed"), there)
    assert over(there, {"c1": original}) is original
    assert over(wrapped, {"c1": original}).__cause__ is original


def test_nothing_is_pickled():
    sources = list((Path(pickle.__file__).parents[0] / "nowhere").glob("*"))
    folder = Path(__file__).parents[4] / "aligntune_core" / "src" / "aligntune_core" / "run" / "process"
    sources += folder.glob("*.py")
    assert len(sources) > 10
    assert [file.name for file in sources if "import pickle" in file.read_text(encoding="utf-8")] == []


def channels():
    one, other = socket.socketpair()
    return Channel(one), Channel(other)


@SOME
@given(st.lists(st.dictionaries(TEXT, PLAIN, max_size=3), min_size=1, max_size=5))
def test_frames_come_as_they_were_sent(frames):
    one, other = channels()
    for frame in frames:
        one.send(to_json({"frame": frame}))
    one.end.close()
    come = []
    while (some := other.receive()) is not None:
        come += some
    other.end.close()
    assert same([from_json(each)["frame"] for each in come], frames)


JUNK = (b"hello\n", b"hello", b"\xff\xfe\n", b"[1]\n", b'{"a": }\n', b"\n", b"{" * 100_000 + b"\n")


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_what_is_no_frame_is_seen_at_once(junk):
    one, other = channels()
    one.end.sendall(junk)
    with pytest.raises(NotAFrameError):
        other.receive()
    one.end.close()
    other.end.close()


def test_a_frame_may_come_in_pieces():
    one, other = channels()
    line = as_bytes({"text": "é" * 5})
    for byte in range(len(line)):
        one.end.sendall(line[byte : byte + 1])
        found = other.receive()
    assert found == [{"text": "é" * 5}]
    one.end.close()
    other.end.close()
