"""All that was found out, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from aligntune_core.doctor.finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Report:
    """What stands in the way here, and what does not.

    Args:
        version: AlignTune's version.
        device: Where a job would run: ``cuda`` or ``cpu``.
        able: The backends that nothing stops.
        findings: Everything that was found; problems first, the worst first.
    """

    version: str
    device: str
    able: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether at least one backend can train here; there is no error if so."""
        return bool(self.able)

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The errors and warnings."""
        return tuple(each for each in self.findings if each.level is not Level.OK)

    def __str__(self) -> str:
        return "\n".join(
            f"{each.level} {each.code}: {' '.join(filter(None, (each.message, each.fix, each.command)))}"
            for each in self.findings
        )

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-ready values."""
        return {
            "ok": self.ok,
            "version": self.version,
            "device": self.device,
            "can_train": list(self.able),
            "findings": [each.to_dict() for each in self.findings],
        }


def report(version: str, device: str, ready: Iterable[str], findings: Iterable[Finding]) -> Report:
    """What the findings come to: an error is what keeps the last backend from training, all else a warning.

    Args:
        version: AlignTune's version.
        device: Where a job would run.
        ready: The backends that are ready, as far as their packages go.
        findings: What was found, in the order in which it is told.
    """
    found = list(findings)
    stopped = {name for each in found for name in each.stops}
    able = tuple(name for name in ready if name not in stopped)
    if able:
        found = [replace(each, level=Level.WARNING) if each.level is Level.ERROR else each for each in found]
    rank = {Level.ERROR: 0, Level.WARNING: 1, Level.OK: 2}
    return Report(version, device, able, tuple(sorted(found, key=lambda each: rank[each.level])))
