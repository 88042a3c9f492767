"""A verdict in words: whether the job can run, where, and everything that was found."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aligntune_core.problem import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aligntune_core.check.verdict import Verdict
    from aligntune_core.console.ink import Ink
    from aligntune_core.problem import Problem


def show(words: list[str], *, level: str, as_json: bool) -> int:
    """Write what is decided about the job that the words describe.

    Args:
        words: A job file's path, which may be left out, and then ``key=value`` words.
        level: How deep to look.
        as_json: Whether to write it for programs.

    Returns:
        The program's exit code: 0 if the job can run, else 2.
    """
    from aligntune_core.cli.arguments import judge
    from aligntune_core.run.stdout import standard_output_kept_clear

    # reward functions and engines may print, and a program reads what is written here
    with standard_output_kept_clear():
        verdict = judge(words, level=level)
    if as_json:
        from aligntune_core.console.json_text import write_json

        write_json(verdict.to_dict())
    else:
        from aligntune_core.console.ink import Ink

        sys.stdout.write("\n".join(verdict_lines(verdict, Ink(sys.stdout))) + "\n")
    return 0 if verdict.ok else 2


def verdict_lines(verdict: Verdict, ink: Ink) -> Iterator[str]:
    """Lines that say what was decided about a job."""
    if not verdict.ok:
        yield from problem_lines(verdict.problems, ink)
        if verdict.examination and verdict.examination.example:
            from aligntune_core.cli.screens.examination import example_lines

            yield from example_lines(verdict.examination, ink)
        return
    yield ink.labelled("The job can run", f"on backend '{verdict.backend}': {verdict.reason}.", "bold", "green")
    for name, reason in verdict.rejected.items():
        yield ink.wrap(f"not on '{name}': {reason}", "    ", "  ")
    yield from _grouped(verdict.warnings, Severity.WARNING, ink)
    if verdict.job and verdict.examination:
        from aligntune_core.cli.screens.examination import examination_lines

        yield from examination_lines(verdict.examination, verdict.job, ink)
    if verdict.job:
        settings = verdict.job.to_dict()
        width = max(len(key) for key in settings)
        yield ""
        yield ink.style("job", "bold")
        for key, value in settings.items():
            yield ink.wrap(str(value), " " * (width + 4), f"  {key.ljust(width)}  ")


def problem_lines(problems: Iterable[Problem], ink: Ink) -> Iterator[str]:
    """Lines that say why a job can't run, errors before warnings."""
    found = tuple(problems)
    errors = tuple(problem for problem in found if problem.severity is Severity.ERROR)
    warnings = tuple(problem for problem in found if problem.severity is Severity.WARNING)
    counts = [
        f"{len(some)} {word}{'s' * (len(some) > 1)}"
        for word, some in (("error", errors), ("warning", warnings))
        if some
    ]
    head = ink.style("The job can't run", "bold", "red")
    yield f"{head}: {', '.join(counts)}."
    yield from _grouped(errors, Severity.ERROR, ink)
    yield from _grouped(warnings, Severity.WARNING, ink)


def _grouped(problems: tuple[Problem, ...], severity: Severity, ink: Ink) -> Iterator[str]:
    if not problems:
        return
    yield ""
    yield ink.style(f"{severity}s", "bold", "red" if severity is Severity.ERROR else "yellow")
    for problem in sorted(problems, key=_line):
        place = f"{problem.where}: " if problem.where else ""
        yield ink.wrap(f"{place}{problem.message} [{problem.code}]", "    ", "  ")
        if problem.fix:
            yield ink.wrap(problem.fix, "    ")


def _line(problem: Problem) -> tuple[bool, int]:
    """Problems in a job file stand in its order, before those that are in no file."""
    line = problem.where.rpartition(":")[2]
    return (not line, int(line) if line.isdecimal() else 0)
