"""What ``doctor`` found in words: whether training works here, the problems, and then all the rest by section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.doctor.finding import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.console.ink import Ink
    from aligntune_core.doctor.finding import Finding
    from aligntune_core.doctor.report import Report

_PLACES = {"cuda": "the GPU", "cpu": "the CPU"}


def report_lines(report: Report, ink: Ink) -> Iterator[str]:
    """Lines that say what was found: the problems first."""
    yield _headline(report, ink)
    for level, colour in ((Level.ERROR, "red"), (Level.WARNING, "yellow")):
        some = [each for each in report.findings if each.level is level]
        if some:
            yield ""
            yield ink.style(f"{level}s", "bold", colour)
        for each in some:
            yield from _problem(each, ink)
    fine = [each for each in report.findings if each.level is Level.OK]
    width = max((len(each.code) for each in fine), default=0)
    section = ""
    for each in fine:
        if each.section != section:
            section = each.section
            yield ""
            yield ink.style(section, "bold")
        yield ink.wrap(each.message, " " * (width + 4), f"  {each.code.ljust(width)}  ")


def _headline(report: Report, ink: Ink) -> str:
    place = _PLACES[report.device]
    counts = [
        f"{len(some)} {level}{'s' * (len(some) > 1)}"
        for level in (Level.ERROR, Level.WARNING)
        if (some := [each for each in report.findings if each.level is level])
    ]
    told = f" {', '.join(counts)}." if counts else " Nothing stands in the way."
    if not report.ok:
        return ink.labelled("Nothing can be trained here", f"on {place}:{told}", "bold", "red")
    names = " and ".join(f"'{name}'" for name in report.able)
    backends = f"backend{'s' * (len(report.able) > 1)} {names}"
    return ink.labelled("Training works here", f"on {place}, with {backends}.{told}", "bold", "green")


def _problem(found: Finding, ink: Ink) -> Iterator[str]:
    yield ink.wrap(f"{found.code}: {found.message}", "    ", "  ")
    if found.why:
        yield ink.wrap(found.why, "    ")
    if found.fix:
        yield ink.wrap(found.fix, "    ")
    if found.command:
        # in one line, however long, so that it can be copied
        yield f"    $ {found.command}"
