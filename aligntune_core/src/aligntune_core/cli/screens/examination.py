"""What a check found out besides, in words: the run's length, the data in tokens, an example, a trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.check.examination import Examination, Lengths, Span, Trial
    from aligntune_core.console.ink import Ink
    from aligntune_core.job import Job
    from aligntune_core.plan import Plan

MOST_LINES = 12
"""Lines of an example that are shown."""


def examination_lines(found: Examination, job: Job, ink: Ink) -> Iterator[str]:
    """Lines that say what a run would come to and what it would learn from.

    Args:
        found: What was found out.
        job: The job.
        ink: For what they are written.
    """
    if found.plan:
        yield from _table("run", dict(_plan(found.plan, job)), ink)
    data = dict(_data(found))
    if data:
        yield from _table("data", data, ink)
    yield from example_lines(found, ink)
    if found.trial:
        yield from _table("trial", dict(_trial(found.trial)), ink)
    for note in found.notes:
        yield ""
        yield ink.labelled("note:", note)


def example_lines(found: Examination, ink: Ink) -> Iterator[str]:
    """Lines that show the first example that is learned from, or the first of all where none is.

    Args:
        found: What was found out.
        ink: For what they are written.
    """
    if not found.example:
        return
    yield ""
    learned = any(span.learned for _, spans in found.example for span in spans)
    mark = ", where > is learned from" if learned else ""
    yield ink.style("first example", "bold") + f", as the model sees it{mark}"
    for name, spans in found.example:
        yield from _example(name, spans, ink)


def _table(title: str, rows: dict[str, str], ink: Ink) -> Iterator[str]:
    width = max(len(name) for name in rows)
    yield ""
    yield ink.style(title, "bold")
    for name, text in rows.items():
        yield ink.wrap(text, " " * (width + 4), f"  {name.ljust(width)}  ")


def _plan(plan: Plan, job: Job) -> Iterator[tuple[str, str]]:
    from aligntune_core.machine.disk import free_bytes
    from aligntune_core.wording import size

    what = "prompt" if plan.completions else "example"
    factors = " x ".join(f"{name} {count}" for name, count in plan.batch.items())
    unknown = "as many as the data makes" if plan.rows is None else "known once the rows are packed"
    steps = f"{plan.steps:,}" if plan.steps is not None else unknown
    yield "steps", f"{steps}, each from {plan.effective_batch:,} {what}{'s' * (plan.effective_batch != 1)} ({factors})"
    if plan.completions > 1:
        whole = plan.effective_batch * plan.completions
        yield "completions", f"{plan.completions} for each prompt, {whole:,} in a step"
    if plan.passes is not None and plan.rows:
        yield "passes", f"{plan.passes:.3g} over {plan.rows:,} rows"
    if plan.checkpoints is not None:
        each = f" of about {size(plan.checkpoint_bytes)} each" if plan.checkpoint_bytes and plan.checkpoints else ""
        free = free_bytes(job.output_dir)
        room = f"; {size(free)} are free" if free and plan.checkpoints else ""
        yield "checkpoints", f"{plan.checkpoints or 'none'}{each} in {job.output_dir}{room}"
    yield "engine gets", "  ".join(f"{name}={_value(value)}" for name, value in plan.settings.items())


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _data(found: Examination) -> Iterator[tuple[str, str]]:
    for report in found.data:
        unused = sum(report.unused.values())
        left = f", {unused} more can't be used" if unused else ""
        yield report.name, f"{report.source}, {report.rows:,} rows{left}, read as {report.format}"
    if found.lengths:
        yield "tokens", _lengths(found.lengths)


def _lengths(lengths: Lengths) -> str:
    whose = f"of the first {lengths.rows:,} rows: " if lengths.more else ""
    parts = [f"{whose}{lengths.shortest:,} to {lengths.longest:,} in a sequence, {lengths.median:,} in the middle"]
    if lengths.learned:
        parts.append(f"{100 * lengths.learned / lengths.tokens:.0f}% of what is left is learned from")
    if lengths.limit:
        parts.append(f"cut at {lengths.limit:,}")
    if lengths.context:
        parts.append(f"the model's context is {lengths.context:,}")
    return "; ".join(parts)


def _example(name: str, spans: tuple[Span, ...], ink: Ink) -> Iterator[str]:
    if name:
        yield f"  {name}:"
    lines = [(line, span.learned) for span in spans for line in span.text.split("\n")]
    # a line's end that closes a stretch leaves an empty line behind it
    shown = [(line, learned) for line, learned in lines if line]
    for line, learned in shown[:MOST_LINES]:
        mark = "  > " if learned else "    "
        for part in ink.wrap(line, mark).split("\n"):
            yield ink.style(part, "green") if learned else part
    if len(shown) > MOST_LINES:
        yield f"    and {len(shown) - MOST_LINES} more lines"


def _trial(trial: Trial) -> Iterator[tuple[str, str]]:
    losses = ", ".join(f"{loss:.4g}" for loss in trial.losses) or "none was logged"
    place = f" on {trial.device}" if trial.device else ""
    yield "steps", f"{trial.steps} taken{place} in {trial.seconds:.0f} s, the model's loading included"
    yield "loss", losses
