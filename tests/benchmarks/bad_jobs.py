"""A table of bad jobs: what AlignTune does with each, what TRL does, and after how many seconds.

Run it with ``python tests/benchmarks/bad_jobs.py [--only NAME...] [--side aligntune|trl|both] [--out FILE]``; the page
is ``docs/bad-jobs.md``. It takes about a quarter of an hour on two cores. The exit code is 1 if a row comes out worse
than the table expects, or AlignTune shows a traceback. The rows are in ``badjobs/rows_*.py``.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from badjobs.kept import keep_answers, read_answers
from badjobs.page import page
from badjobs.row import BadJob, Stage
from badjobs.sides import Answer, Workshop
from badjobs.table import JOBS

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDS = (Stage.FAST, Stage.CHECK, Stage.LAUNCH, Stage.TRAINING)
GOES_ON = (Stage.MEANT, Stage.WARNED, Stage.SAID, Stage.TRAINED)

COMMAND = "`python tests/benchmarks/bad_jobs.py --out docs/bad-jobs.md`"


def is_as_expected(row: BadJob, answer: Answer) -> bool:
    """Whether AlignTune's answer is the row's, or one as good."""
    stages = ENDS if row.stage in ENDS else GOES_ON
    in_time = answer.stage in stages[: stages.index(row.stage) + 1]
    return in_time and (row.code in answer.codes if row.code else not answer.codes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[row.name for row in JOBS])
    parser.add_argument("--side", choices=["aligntune", "trl", "both"], default="both")
    parser.add_argument("--out", type=Path, help="the page; only printed without it")
    parser.add_argument(
        "--answers", type=Path, help="a file that keeps the answers, and gives those of rows and sides left out"
    )
    options = parser.parse_args()
    chosen = [row for row in JOBS if not options.only or row.name in options.only]

    load = os.getloadavg()[0]
    answers = read_answers(options.answers) if options.answers else {}
    with tempfile.TemporaryDirectory() as root:
        for row, ours, theirs in tried(chosen, options.side, Path(root).resolve()):
            before = answers.get(row.name, (None, None))
            answers[row.name] = ours or before[0], theirs or before[1]
            if options.answers:
                keep_answers(answers, options.answers)
    answers = {row.name: answers[row.name] for row in JOBS if row.name in answers}
    whole = not options.only and options.side == "both"
    text = page(answers, load, COMMAND if whole else f"{COMMAND} in several runs (`--answers`)")
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    else:
        print(text)

    pairs = [(row, answers[row.name][0]) for row in chosen]
    worse = [(row, ours) for row, ours in pairs if ours and not is_as_expected(row, ours)]
    for row, ours in worse:
        print(f"{row.name}: {row.stage} {row.code} was expected, not {told(ours)}", file=sys.stderr)
    sys.exit(1 if worse else 0)


def tried(rows: list[BadJob], side: str, root: Path) -> Iterator[tuple[BadJob, Answer | None, Answer | None]]:
    """Each row with AlignTune's answer and TRL's, told on standard error as they come."""
    from aligntune_core.models.tiny import materialise

    workshop = Workshop(materialise(), root)
    for row in rows:
        ours = workshop.aligntune(row) if side != "trl" else None
        theirs = workshop.by_hand(row) if side != "aligntune" else None
        for answer in filter(None, (ours, theirs)):
            print(f"{row.name:28} {answer.seconds:5.1f} s  {told(answer)}", file=sys.stderr, flush=True)
        yield row, ours, theirs


def told(answer: Answer) -> str:
    """An answer in one line."""
    return f"{answer.stage or 'TRL'} {' '.join(answer.codes)}: {answer.message[:300]}"


if __name__ == "__main__":
    main()
