"""What a backend's code may do to the whole process without meaning to: it is seen, put back, and told."""

from __future__ import annotations

import operator
import os
import signal
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class _Aspect:
    """Something that the whole process has once.

    Args:
        words: What it is, for messages.
        look: How it is now.
        put_back: Makes it what it was.
        is_same: Whether how it is now is as good as how it was.
        is_engines: Whether engines change it when they are imported, and rely on that.
    """

    words: str
    look: Callable[[], Any]
    put_back: Callable[[Any], None]
    is_same: Callable[[Any, Any], bool] = operator.eq
    is_engines: bool = False


def before() -> list[Any]:
    """How the process is now, for :func:`undone`."""
    return [aspect.look() for aspect in _ASPECTS]


def undone(was: list[Any], *, of_engine: bool = False) -> list[str]:
    """Put back what has changed in the process.

    Args:
        was: How it was.
        of_engine: Whether an engine was imported meanwhile, which relies on some of it.

    Returns:
        What had changed, in words.
    """
    changed = []
    for aspect, value in zip(_ASPECTS, was, strict=True):
        if of_engine and aspect.is_engines:
            continue
        with suppress(Exception):
            if not aspect.is_same(aspect.look(), value):
                changed.append(aspect.words)
                aspect.put_back(value)
    return changed


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 this is asked for each plugin
    except OSError:
        return ""


def _environment() -> dict[Any, Any]:
    # decoding all of it takes longer than importing a plugin
    return dict(getattr(os.environ, "_data", os.environ))


def _put_environment(was: dict[Any, Any]) -> None:
    values = {os.fsdecode(name): os.fsdecode(value) for name, value in was.items()}
    for name in os.environ.keys() - values.keys():
        del os.environ[name]
    for name, value in values.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGCHLD", "SIGPIPE", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)


def _handlers() -> list[Any]:
    return [signal.getsignal(number) for number in _SIGNALS]


def _put_handlers(was: list[Any]) -> None:
    for number, handler in zip(_SIGNALS, was, strict=True):
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)


_CATEGORIES = ("LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_MONETARY")


def _locale() -> list[str]:
    module = sys.modules.get("locale")
    if module is None:
        return ["C"] * len(_CATEGORIES)
    return [module.setlocale(getattr(module, category)) for category in _CATEGORIES]


def _put_locale(was: list[str]) -> None:
    module = sys.modules["locale"]
    for category, value in zip(_CATEGORIES, was, strict=True):
        module.setlocale(getattr(module, category), value)


def _raising() -> list[Any]:
    """The filters that turn warnings into exceptions; others hurt nobody."""
    return [each for each in warnings.filters if each[0] == "error"]


def _put_filters(was: list[Any]) -> None:
    warnings.filters[:] = [each for each in warnings.filters if each[0] != "error" or each in was]  # type: ignore[index]
    # what was decided by the filters is decided anew
    with warnings.catch_warnings():
        pass


_HOOKS = ("excepthook", "displayhook", "unraisablehook", "breakpointhook")


def _put_hooks(was: list[Any]) -> None:
    for name, hook in zip(_HOOKS, was, strict=True):
        setattr(sys, name, hook)


def _hides_nothing(now: list[str], was: list[str]) -> bool:
    return now[: len(was)] == was


def _put_path(was: list[str]) -> None:
    # what was added stays, but behind what it would hide
    sys.path[:] = [*was, *(place for place in sys.path if place not in was)]


_ASPECTS = (
    _Aspect("the working folder", _folder, os.chdir),
    _Aspect("environment variables", _environment, _put_environment, is_engines=True),
    _Aspect("sys.path", lambda: list(sys.path), _put_path, _hides_nothing),
    _Aspect("the handlers of signals", _handlers, _put_handlers, is_engines=True),
    _Aspect("the hooks of sys", lambda: [getattr(sys, name) for name in _HOOKS], _put_hooks, is_engines=True),
    _Aspect("the locale", _locale, _put_locale),
    _Aspect("the filters of warnings", _raising, _put_filters, is_engines=True),
    _Aspect("the limit of recursion", sys.getrecursionlimit, sys.setrecursionlimit),
)
