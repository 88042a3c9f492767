"""Exceptions as JSON and back: the same class, words and fields, their causes, and where they were raised as text."""

from __future__ import annotations

import builtins
import traceback
from typing import TYPE_CHECKING, Any

from aligntune_core import errors
from aligntune_core.run.process.values import CannotCrossError, from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MARK = "_crossed_as"
"""The attribute of an exception that holds the number under which the other process keeps the original."""
_DEEPEST = 20


def error_to_json(error: BaseException, number: str = "") -> dict[str, Any]:
    """An exception as JSON-ready values, with its causes and its traceback.

    Args:
        error: The exception.
        number: What the other process can name it by, when it sends it back.
    """
    text = "".join(traceback.format_exception(error))
    return {**_alone(error, _DEEPEST), "traceback": text, "number": number}


def error_from_json(told: Mapping[str, Any], kept: Mapping[str, BaseException]) -> BaseException:
    """The exception that :func:`error_to_json` wrote; one that was sent from here in the first place is itself again.

    Where its class is not known here it is of the nearest one that is, under its own name.

    Args:
        told: What was written.
        kept: The exceptions that were sent from here, by number.
    """
    original = kept.get(told["back"])
    if original is not None:
        return original
    error = _made(told, kept)
    if told["number"]:
        setattr(error, _MARK, told["number"])
    error.add_note(f"Raised in the other process:\n{told['traceback'].rstrip()}")
    return error


def _alone(error: BaseException, depth: int) -> dict[str, Any]:
    cause = error.__cause__
    context = None if error.__suppress_context__ else error.__context__
    state = {key: value for key, value in vars(error).items() if key not in {_MARK, "__notes__"}}
    return {
        "classes": [(each.__module__, each.__qualname__) for each in type(error).__mro__],
        "args": _crossing(list(error.args)),
        "state": {key: crossed for key, value in state.items() if (crossed := _crossing([value]))},
        "text": _text(error),
        "notes": [str(note) for note in getattr(error, "__notes__", ())],
        "cause": _alone(cause, depth - 1) if cause is not None and depth else None,
        "context": _alone(context, depth - 1) if cause is None and context is not None and depth else None,
        "back": getattr(error, _MARK, ""),
    }


def _crossing(values: list[Any]) -> list[Any] | None:
    try:
        crossed: list[Any] = to_json(values)
    except (CannotCrossError, RecursionError):
        return None
    return crossed


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return f"<{type(error).__name__}>"


def _made(told: Mapping[str, Any], kept: Mapping[str, BaseException]) -> BaseException:
    error = next(_candidates(told))
    for key, crossed in told["state"].items():
        setattr(error, key, from_json(crossed)[0])
    for note in told["notes"]:
        error.add_note(note)
    for link, attribute in (("cause", "__cause__"), ("context", "__context__")):
        if told[link] is not None:
            setattr(error, attribute, kept.get(told[link]["back"]) or _made(told[link], kept))
    return error


def _candidates(told: Mapping[str, Any]) -> Iterator[BaseException]:
    """The exception as nearly as it can be made here, nearest first."""
    module, name = told["classes"][0]
    for index, (home, called) in enumerate(told["classes"]):
        known = _known(home, called)
        if known is None:
            continue
        error = _new(known, from_json(told["args"])) if index == 0 and told["args"] is not None else None
        if error is not None and (_text(error) == told["text"] or isinstance(error, errors.AlignTuneError)):
            yield error
        named = type(name.rpartition(".")[2], (known,), {"__module__": module, "__str__": lambda _: told["text"]})
        if (error := _new(named, [])) is not None:
            yield error


def _known(module: str, name: str) -> type[BaseException] | None:
    home = {"builtins": builtins, errors.__name__: errors}.get(module)
    found = getattr(home, name, None)
    return found if isinstance(found, type) and issubclass(found, BaseException) else None


def _new(kind: type[BaseException], arguments: list[Any]) -> BaseException | None:
    try:
        # an AlignTuneError's own __init__ takes other arguments than it keeps; what it sets comes with its state
        error = kind.__new__(kind, *arguments)
        error.args = tuple(arguments)
        if not issubclass(kind, errors.AlignTuneError):
            error.__init__(*arguments)  # type: ignore[misc]
    except Exception:
        return None
    return error
