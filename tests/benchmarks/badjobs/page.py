"""The page that the table of bad jobs is written to."""

from __future__ import annotations

import os
import platform
import re
import statistics
from importlib.metadata import version
from typing import TYPE_CHECKING

from badjobs.by_hand import script
from badjobs.processes import LIMIT
from badjobs.row import Stage
from badjobs.table import GOOD, SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from badjobs.row import BadJob
    from badjobs.sides import Answer

Answers = tuple["Answer | None", "Answer | None"]
"""What AlignTune and TRL answered, None where a side was not tried or has no such job."""
_LONGEST = 260
_HEAD = """\
# Bad jobs

What happens to a job with one thing wrong in it: through AlignTune, and through TRL by hand. Each row is one small
job on the same model (`builtin:tiny`, about a million weights) and the same data, run twice, each time in a fresh
process with {limit:.0f} seconds at most. AlignTune is asked as a user asks it: `aligntune check --fast job.yaml`,
where that accepts the job `aligntune check job.yaml`, and where that does too `aligntune train job.yaml`; by hand it
is the script below with the same mistake in it, or the program `trl` where the mistake is one of its command line or
its settings file. The seconds are those of the one process that gave the answer, from its start to its end. "Said
nothing" means that it wrote nothing but what it writes of a good job too.

{figures}

Made by {command} on {machine}; {packages}. {load}
The script ends with an error if a row comes out worse than it expects, so it is a check as well.

What is written by hand for a good SFT job:

```py
{script}```
"""


def page(answers: Mapping[str, Answers], load: float, command: str) -> str:
    """The whole page as Markdown.

    Args:
        answers: AlignTune's answer and TRL's for each row by its name; those of a side that wasn't tried are None.
        load: How many processes of others wanted to run while it was made, as the system's load average has it.
        command: What made it.
    """
    head = _HEAD.format(
        limit=LIMIT,
        figures="\n".join(f"- {line}" for line in _figures(answers)),
        command=command,
        machine=_machine(),
        load=f"Other programs were running too (a load of {load:.1f}), so the seconds are long." if load > 1 else "",
        packages=", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "trl")),
        script=script(),
    )
    return "\n".join([head, *_tables(answers)])


def names_on(text: str) -> list[str]:
    """The names of the rows on a page, in order."""
    return [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]


def _tables(answers: Mapping[str, Answers]) -> Iterable[str]:
    for title, jobs in SECTIONS.items():
        rows = [job for job in jobs if job.name in answers]
        if rows:
            yield f"## {title}\n"
            yield "| job | what is wrong | AlignTune | s | TRL by hand | s |"
            yield "|---|---|---|---|---|---|"
            yield from (_row(job, *answers[job.name]) for job in rows)
            yield ""


def _row(job: BadJob, ours: Answer | None, theirs: Answer | None) -> str:
    cells = [
        f"`{job.name}`",
        f"{job.wrong}. {job.remark}" if job.remark else job.wrong,
        _ours(ours) if ours else "-",
        f"{ours.seconds:.1f}" if ours else "-",
        _cell(theirs.message) if theirs else "-",
        f"{theirs.seconds:.1f}" if theirs else "-",
    ]
    return f"| {' | '.join(cells)} |"


def _ours(answer: Answer) -> str:
    codes = ", ".join(f"`{code}`" for code in answer.codes)
    return f"**{answer.stage}**{', ' if codes else ''}{codes}: {_cell(answer.message)}"


def _cell(text: str) -> str:
    plain = " ".join(text.split())
    if len(plain) > _LONGEST:
        plain = f"{plain[:_LONGEST].rstrip()}..."
    return re.sub(r"[\\|<*`]|__", lambda found: "".join(f"\\{letter}" for letter in found[0]), plain)


def _figures(answers: Mapping[str, Answers]) -> Iterable[str]:
    good = {job.name for job in GOOD}
    bad = [pair for name, pair in answers.items() if name not in good]
    ours = [ours for ours, _ in bad if ours]
    theirs = [theirs for _, theirs in bad if theirs]
    yield f"{len(bad)} bad jobs, and {len(answers) - len(bad)} good ones to compare with."
    if ours:
        counts = [(stage, [answer.seconds for answer in ours if answer.stage is stage]) for stage in Stage]
        told = [f"{len(taken)} {stage} (median {statistics.median(taken):.1f} s)" for stage, taken in counts if taken]
        yield f"AlignTune: {', '.join(told)}."
    if theirs:
        failed = [answer.seconds for answer in theirs if answer.failed]
        went_on = [answer for answer in theirs if not answer.failed]
        silent = [answer for answer in went_on if answer.silent]
        median = f" (median {statistics.median(failed):.1f} s)" if failed else ""
        yield (
            f"TRL by hand: {len(failed)} ended in an error{median}, {len(went_on)} in success, and in {len(silent)} of "
            f"those nothing was said; {len(bad) - len(theirs)} have no counterpart."
        )


def _machine() -> str:
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 it is no file of anybody's
            name = next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{name}, {os.cpu_count()} cores, no GPU"
