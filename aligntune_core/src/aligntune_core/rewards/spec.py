r"""How a reward function is written in a job.

A name of a built-in function, with parameters in parentheses where it takes any: ``numeric_match``,
``length(target=50)``, ``format(pattern=r'.*\boxed\{.*\}.*')``. Parameters are Python literals, never evaluated; a
regular expression has an ``r`` before it.
Or a function of one's own: ``path/rewards.py:score`` in a file, ``package.module:score`` in an installed module.

In YAML and on the command line a text with a comma in it is quoted inside ``[ ]`` and ``{ }``::

    reward_functions: [numeric_match, "length(limit=300, unit='characters')"]
    reward_functions:
      numeric_match: 1.0
      my_rewards.py:politeness: 0.2
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aligntune_core.errors import RewardError

RewardSpec = str | Callable[..., Any] | Sequence[str | Callable[..., Any]] | Mapping[str, float] | None
"""What a job's ``reward_functions`` may be: one or several texts or functions, or texts with their weights."""

_BUILTIN = re.compile(r"(?P<name>[A-Za-z_][\w-]*)\s*(?P<parameters>\(.*)?", re.DOTALL)
_CALLED = re.compile(r":\s*[\w.]+\s*\(.*\)?$", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


@dataclass(frozen=True, slots=True)
class BuiltinReference:
    """A built-in reward function with its parameters."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileReference:
    """A function in a Python file."""

    path: str
    function: str


@dataclass(frozen=True, slots=True)
class ModuleReference:
    """A function in an importable module."""

    module: str
    function: str


Reference = BuiltinReference | FileReference | ModuleReference


def entries(spec: RewardSpec) -> list[tuple[str | Callable[..., Any], float]]:
    """The functions a spec names, in order, each with its weight: 1.0 where the spec gives none.

    Raises:
        RewardError: If the spec is of another kind, or would reward nothing.
    """
    if spec is None:
        return []
    if isinstance(spec, str) or callable(spec):
        spec = [spec]
    if not isinstance(spec, Sequence | Mapping):
        raise RewardError(
            f"reward_functions is a {type(spec).__name__}, but must be a list of names and functions, or a mapping "
            "from names to weights."
        )
    if not spec:
        raise RewardError("reward_functions is empty, so nothing would be rewarded.", fix="Name one function at least.")
    named: list[tuple[str | Callable[..., Any], float]]
    named = list(spec.items()) if isinstance(spec, Mapping) else [(what, 1.0) for what in spec]
    if all(weight == 0 for _, weight in named):
        raise RewardError(
            "every reward function's weight is 0, so nothing would be rewarded.", fix="Give one of them another weight."
        )
    return named


def read(text: str) -> Reference:
    """What the text of one reward function refers to, without looking whether it is there.

    Raises:
        RewardError: If the text is not of any of the forms above.
    """
    text = text.strip()
    builtin = _BUILTIN.fullmatch(text)
    if builtin:
        return BuiltinReference(builtin["name"], _parameters(text, builtin))
    if _CALLED.search(text):
        raise RewardError(
            f"reward function '{text}' has parameters, which only built-in ones take.",
            fix="Bind them in your file, for example with functools.partial, and name what comes out.",
        )
    place, _, function = (part.strip() for part in text.rpartition(":"))
    if not place or not _DOTTED.fullmatch(function):
        raise _malformed(text)
    if place.endswith(".py") or re.search(r"[/\\]", place):
        return FileReference(place, function)
    if not _DOTTED.fullmatch(place):
        raise _malformed(text)
    return ModuleReference(place, function)


def _malformed(text: str) -> RewardError:
    wanted = "It is a built-in name, file.py:function or module:function."
    if text.endswith((".py", ".py:")):
        wanted = f"Write {text.removesuffix(':')}:function, with the function's name."
    elif _DOTTED.fullmatch(text):
        wanted = f"For a function in a module write {':'.join(text.rsplit('.', 1))}."
    return RewardError(f"reward function '{text}' is not written as one.", fix=wanted)


def _parameters(text: str, builtin: re.Match[str]) -> dict[str, Any]:
    name, written = builtin["name"], builtin["parameters"]
    if written is None:
        return {}
    if not written.rstrip().endswith(")"):
        raise RewardError(
            f"reward function '{text}' has no closing parenthesis.",
            fix="A comma inside [ ] or { } splits it in two: put the whole text in double quotes.",
        )
    try:
        with warnings.catch_warnings():
            # an escape that Python doesn't know, such as \d, stays as it is, which is what is meant
            warnings.simplefilter("ignore")
            call = ast.parse(f"_{written.strip()}", mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            raise _unreadable(text, name)
        parameters = {_named(keyword): ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise _unreadable(text, name) from error
    if len(parameters) < len(call.keywords):
        raise RewardError(f"reward function '{text}' has a parameter twice.")
    for parameter, value in parameters.items():
        if isinstance(value, str) and _CONTROL.search(value):
            raise RewardError(
                f"the '{parameter}' of reward function '{text}' has a control character in it: in plain quotes "
                "'\\b' is a backspace.",
                fix=f"Put an r before the text: {name}({parameter}=r'...').",
            )
    return parameters


def _named(keyword: ast.keyword) -> str:
    if keyword.arg is None:
        raise ValueError("** is no parameter")
    return keyword.arg


def _unreadable(text: str, name: str) -> RewardError:
    return RewardError(
        f"reward function '{text}' has parameters that can't be read: only name=value with plain numbers, texts, True "
        "and False can.",
        fix=f"Write for example {name}(name='text', other=50).",
    )
