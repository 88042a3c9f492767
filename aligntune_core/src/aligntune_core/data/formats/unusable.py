"""Why a row can't be used."""

from __future__ import annotations


class UnusableRow(Exception):  # noqa: N818 - it is a finding about one row, counted by its reason, not an error
    """A row that can't be learnt from.

    Args:
        reason: Why, in a few words that fit as the key of a count, e.g. ``empty answer``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
