"""The page of bad jobs is of the rows that the script tries, and the script reads answers rightly."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "bad-jobs.md"


@pytest.fixture
def bad_jobs(monkeypatch):
    """The script's own module, found as the script finds its parts."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "benchmarks")
    import bad_jobs

    yield bad_jobs
    for name in [name for name in sys.modules if name.partition(".")[0] in {"bad_jobs", "badjobs"}]:
        del sys.modules[name]


def test_the_page_has_every_row_of_the_script_and_no_other(bad_jobs):
    from badjobs.page import names_on

    named = names_on(PAGE.read_text(encoding="utf-8"))
    assert named == [row.name for row in bad_jobs.JOBS], "run the script with --out docs/bad-jobs.md"
    assert len([name for name in named if not name.startswith("good-")]) >= 40


def test_names_are_said_once(bad_jobs):
    names = [row.name for row in bad_jobs.JOBS]
    assert len(set(names)) == len(names)


def test_a_row_that_comes_out_worse_is_a_failure(bad_jobs):
    from badjobs.row import BadJob, Stage
    from badjobs.sides import Answer

    def as_expected(row, stage, *codes):
        return bad_jobs.is_as_expected(row, Answer(stage, codes, "", 1.0, failed=True))

    late = BadJob("late", "", {}, code="data", stage=Stage.LAUNCH)
    assert as_expected(late, Stage.LAUNCH, "model", "data")
    assert as_expected(late, Stage.CHECK, "data")
    assert not as_expected(late, Stage.CHECK, "model")
    assert not as_expected(late, Stage.TRAINING, "data")
    assert not as_expected(late, Stage.WARNED, "data")
    assert not as_expected(late, Stage.TRAINED)
    assert not as_expected(late, Stage.BROKEN)

    goes_on = BadJob("goes-on", "", {}, stage=Stage.SAID)
    assert as_expected(goes_on, Stage.SAID)
    assert not as_expected(goes_on, Stage.TRAINED)
    assert not as_expected(goes_on, Stage.CHECK, "data")
    assert not as_expected(goes_on, Stage.WARNED, "no-effect")
