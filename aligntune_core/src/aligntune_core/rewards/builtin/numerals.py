"""Numbers read out of text, as exact fractions."""

from __future__ import annotations

import math
import re
from collections import deque
from fractions import Fraction

LONGEST = 400
"""Characters of a numeral; a longer one is no answer to anything, and would cost time without bound."""

_UNSIGNED = r"(?:[0-9]{1,3}(?:,[0-9]{3}(?![0-9]))+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|(?<![0-9A-Za-z])\.[0-9]+)"
_NUMERAL = re.compile(
    r"(?P<sign>(?<![\w)\]}])[-+])?(?:\\?[$€£])?(?P<signed_inside>(?<=[$€£])-)?"
    rf"(?:(?P<whole>[0-9]+) +(?=[0-9]+/[0-9]))?(?P<value>{_UNSIGNED})"
    r"(?P<exponent>[eE][-+]?[0-9]{1,3}(?![0-9A-Za-z]))?(?:/(?P<below>[0-9]+(?:\.[0-9]+)?))?"
)
_FRACTION = re.compile(r"(?P<glued>(?<=[0-9]))?\\[dt]?frac\s*(?:\{([^{}]*)\}\s*\{([^{}]*)\}|([0-9])([0-9]))")
_TYPESETTING = str.maketrans({"\u2212": "-", "\u2009": None, "\u202f": None})
_BRACES = re.compile(r"(?P<boxed>\\boxed\s*\{)|\\.|(?P<brace>[{}])", re.DOTALL)
_HASHES = re.compile(r"####[ \t]*(?=\\?[-+$€£.0-9])")


def last_number(text: str) -> Fraction | None:
    r"""The last number in ``text``, or None.

    Read are ``1,234``, ``-5``, ``$3.50``, ``-$3``, ``.5``, ``1.5e3``, ``3/4``, ``1 3/4`` and ``\frac{3}{4}``. Currency
    and percent signs are left out: ``50%`` is 50. A minus directly after a digit or a closing bracket subtracts.
    """
    found = _last(_NUMERAL, _plain(text))
    return _value(found) if found else None


def answer_number(text: str) -> Fraction | None:
    r"""The number that ``text`` gives as its answer, or None.

    That is the number directly after ``####`` (GSM8K, arXiv 2110.14168) or in ``\boxed{}`` (MATH, arXiv 2103.03874),
    whichever comes last; without either, the last number in the text. A last ``\boxed{}`` with no number in it is an
    answer that is no number.
    """
    boxed = _last_boxed(text)
    hashes = _last(_HASHES, text)
    if hashes and (boxed is None or hashes.start() > boxed[0]):
        first = _NUMERAL.search(_plain(text[hashes.end() :].partition("\n")[0]))
        return _value(first) if first else None
    return last_number(text[slice(*boxed)] if boxed else text)


def number_of(answer: object) -> Fraction | None:
    """The number that a dataset's answer stands for: a number as it is, a text as its answer says, else None."""
    if isinstance(answer, bool):
        return None
    if isinstance(answer, int):
        return Fraction(answer)
    if isinstance(answer, float):
        return Fraction(repr(float(answer))) if math.isfinite(answer) else None
    return answer_number(str(answer))


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    matches = deque(pattern.finditer(text), maxlen=1)
    return matches[0] if matches else None


def _last_boxed(text: str) -> tuple[int, int] | None:
    opened: list[int | None] = []
    last = None
    for token in _BRACES.finditer(text):
        if token["boxed"]:
            opened.append(token.end())
        elif token["brace"] == "{":
            opened.append(None)
        elif token["brace"] and opened:
            start = opened.pop()
            if start is not None and (last is None or start > last[0]):
                last = (start, token.start())
    return last


def _plain(text: str) -> str:
    text = text.translate(_TYPESETTING).replace("{,}", ",").replace("\\,", "").replace("\\!", "")
    return _FRACTION.sub(_slashed, text)


def _slashed(fraction: re.Match[str]) -> str:
    above, below = (fraction[2], fraction[3]) if fraction[2] is not None else (fraction[4], fraction[5])
    return f"{' ' if fraction['glued'] is not None else ''}{above.strip()}/{below.strip()}"


def _value(found: re.Match[str]) -> Fraction | None:
    if len(found[0]) > LONGEST:
        return None
    value = Fraction(found["value"].replace(",", "") + (found["exponent"] or ""))
    if found["below"]:
        below = Fraction(found["below"])
        if not below:
            return None
        value /= below
    value += int(found["whole"] or 0)
    return -value if "-" in (found["sign"], found["signed_inside"]) else value
