"""How much of a data file is read before it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aligntune_core.wording import GIB

if TYPE_CHECKING:
    from collections.abc import Mapping

MIB = 2**20

UNPACKED_FLOOR = 256 * MIB
"""Bytes that a compressed file may unpack to, however small it is."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a data file may hold; more is refused, not read.

    Args:
        row: Bytes of one row.
        file: Bytes of a file, as it lies on the disk.
        expansion: How many times its size a compressed file may unpack to, beyond the first 256 MiB.
    """

    row: int = 16 * MIB
    file: int = 256 * GIB
    expansion: int = 100


DEFAULT_LIMITS = Limits()
"""What holds unless a job says otherwise."""


def limits_of(given: Mapping[str, int] | None) -> Limits:
    """The limits of a job.

    Args:
        given: Its ``data_limits``.
    """
    return Limits(**given) if given else DEFAULT_LIMITS
