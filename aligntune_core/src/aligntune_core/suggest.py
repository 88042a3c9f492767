"""The close match for a misspelt name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


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
