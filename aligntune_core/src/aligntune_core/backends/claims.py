"""Who claims which name: what is told of the entry points of backends, and which names nobody may take."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aligntune_core.backends.backend import KNOWN_BACKENDS, Backend, Status
from aligntune_core.backends.installed import installed_version, normalised
from aligntune_core.backends.origins import install_command
from aligntune_core.errors import BackendError
from aligntune_core.wording import described, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aligntune_core.backends.installed import EntryPoint

RESERVED = ("auto",)
"""Names that jobs use for something else."""


def is_reserved(name: str) -> bool:
    """Whether a name is AlignTune's own, however it is capitalised."""
    return name.strip().lower() in RESERVED


def refusal(point: EntryPoint) -> Backend | None:
    """A backend that is listed under no name of its own, since its entry point takes one that it may not have.

    Args:
        point: The entry point.

    Returns:
        What is listed in its place; None where the name is free to take.
    """
    name, owner = point.name, KNOWN_BACKENDS.get(point.name.lower())
    if owner and (distribution(point) != owner.distribution or name not in KNOWN_BACKENDS):
        label, reason = name, f"the name '{name.lower()}' belongs to the distribution {owner.distribution}"
    elif not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", name) and not getattr(point, "failure", None):
        label = one_line(name, 60)
        reason = "its entry point has a name that no job can have: letters, digits, '.', '-' and '_' make one up"
    else:
        return None
    label = f"{label} [{distribution(point)}]"
    return Backend(label, Status.BROKEN, version(point), reason, uninstall(point), origin=origin(point))


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which backends the user lets in.

    Args:
        disabled: Those that are kept out.
        only: If not empty, all others are kept out.
    """

    disabled: frozenset[str]
    only: frozenset[str]

    @classmethod
    def by(cls, environ: Mapping[str, str]) -> Allowed:
        """As ``ALIGNTUNE_DISABLED_BACKENDS`` and ``ALIGNTUNE_ONLY_BACKENDS`` say."""
        told = (environ.get(f"ALIGNTUNE_{word}_BACKENDS", "") for word in ("DISABLED", "ONLY"))
        return cls(*(frozenset(name.strip() for name in text.split(",") if name.strip()) for text in told))


def barred(name: str, points: Sequence[EntryPoint], allowed: Allowed) -> Backend | None:
    """A backend that can't be used whatever its plugin says; None if only that tells.

    Args:
        name: Its name.
        points: The entry points that claim it.
        allowed: Which backends the user lets in.
    """
    known = KNOWN_BACKENDS.get(name)
    if len(points) == 1 and not (allowed.disabled or allowed.only or is_reserved(name)):
        return None
    came = " and ".join(sorted(map(origin, points)))
    if name in allowed.disabled:
        return Backend(name, Status.DISABLED, reason="ALIGNTUNE_DISABLED_BACKENDS names it", origin=came)
    if allowed.only and name not in allowed.only:
        return Backend(name, Status.DISABLED, reason="ALIGNTUNE_ONLY_BACKENDS does not name it", origin=came)
    if is_reserved(name):
        reason = "the name is AlignTune's own"
        return Backend(name, Status.BROKEN, reason=reason, install=uninstall(points[0]), origin=came)
    if not known and not points:
        return Backend(name, Status.MISSING, reason="it is not installed here")
    if known and not points:
        absent = [*(each for each in known.needs if not installed_version(each)), known.distribution]
        reason = f"{known.distribution} is not installed"
        return Backend(name, Status.MISSING, reason=reason, install=install_command(absent))
    if len(points) > 1:
        return Backend(name, Status.BROKEN, reason=both_claim(points), install=uninstall(points[-1]), origin=came)
    return None


def broken(point: EntryPoint, error: BaseException) -> Backend:
    """A backend that can't be used, for what its plugin raised.

    Args:
        point: Its entry point.
        error: What was raised: a BackendError says itself what is wrong.
    """
    words = str(error) if isinstance(error, BackendError) else not_imported(point, error)
    reason, cause = one_line(words, 400).rstrip("."), error.__cause__ or error
    return Backend(point.name, Status.BROKEN, version(point), reason, cause=cause, origin=origin(point))


def not_imported(point: EntryPoint, error: BaseException) -> str:
    """That a plugin can't be imported, and why."""
    return f"its plugin '{point.value}' can't be imported: {described(error)}"


def both_claim(points: Iterable[EntryPoint]) -> str:
    """That several distributions claim one name."""
    return f"{' and '.join(sorted(map(distribution, points)))} both claim the name"


def distribution(point: EntryPoint) -> str:
    """The distribution of an entry point, normalised, or who names a plugin that has none; empty if not known."""
    return getattr(point, "origin", "") or normalised(_told(point, "name"))


def version(point: EntryPoint) -> str:
    """The version of an entry point's distribution; empty where that is not known."""
    return _told(point, "version")


def origin(point: EntryPoint) -> str:
    """Where an entry point comes from: its distribution with its version."""
    return f"{distribution(point)} {version(point)}".strip() or "a distribution without metadata"


def uninstall(point: EntryPoint) -> str:
    """The command that takes an entry point's distribution away; empty where that is not known."""
    return f"pip uninstall {distribution(point)}" if _told(point, "name") else ""


def _told(point: EntryPoint, field: str) -> str:
    # what is left of a distribution that was half removed has no metadata
    try:
        return one_line(getattr(point.dist, field, None) or "", 60)
    except Exception:
        return ""
