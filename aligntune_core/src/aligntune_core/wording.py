"""How messages show values, exceptions, close matches of misspelt names, and amounts of memory."""

from __future__ import annotations

from reprlib import Repr
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def shown(value: object) -> str:
    """How a message shows a value: its repr, cut in the middle where it is long, or its type where it has none."""
    try:
        return _SHORT.repr(value)
    except Exception:
        return f"of type {type(value).__name__}"


_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80
_SHORT.maxlevel = 2


def described(error: BaseException, most: int = 300) -> str:
    """An exception in one line of a message: its type and its words, with no stop at their end.

    Args:
        error: The exception.
        most: Characters after which it is cut off.
    """
    try:
        words = one_line(str(error), most)
    except Exception:
        words = ""  # its own fault
    return f"{one_line(type(error).__name__, most)}: {words}"[:most].rstrip(".: ")


def one_line(text: str, most: int = 1000) -> str:
    """A text as one line that can't steer a terminal: no control characters, no further lines, no end of it all.

    Args:
        text: The text.
        most: Characters after which it is cut off.
    """
    # most are one already
    if len(text) <= most and text.isprintable():
        return text
    words = " ".join(text[: 4 * most].split())
    line = "".join(each if each.isprintable() else repr(each)[1:-1] for each in words)
    return line if len(line) <= most else f"{line[: most - 4]} ..."


def closest(name: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that ``name`` was probably meant to be, or None."""
    from difflib import get_close_matches

    spelt = {known.lower().replace("-", "_"): known for known in names}
    wanted = name.lower().replace("-", "_")
    found = get_close_matches(wanted, spelt, n=3, cutoff=0.6)
    # letters that changed places are likelier than other letters
    found.sort(key=lambda match: sorted(match) != sorted(wanted))
    return spelt[found[0]] if found else None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """A sentence that offers the close match, or lists the names when there is none."""
    known = sorted(names)
    match = closest(name, known)
    if match:
        return f"Did you mean '{match}'?"
    return f"Known: {', '.join(known)}." if known else ""


GIB = 2**30


def gib(amount: int | None) -> str:
    """Bytes in GiB, e.g. ``7.8 GiB``.

    Args:
        amount: Bytes; None if it is not known.
    """
    return "an unknown amount" if amount is None else f"{amount / GIB:.1f} GiB"


def size(amount: float) -> str:
    """Bytes in the unit that suits them, e.g. ``1.5 MiB``.

    Args:
        amount: Bytes.
    """
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.3g} {unit}"
        amount /= 1024
    return f"{amount:.3g} TiB"
