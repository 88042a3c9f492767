"""An observer is told of a run in another process by the process that asked for it, once."""

import os
import sys
from pathlib import Path

import pytest

OBSERVER = """
import os
from aligntune_core import hookimpl

@hookimpl
def aligntune_trainer_created(job):
    note("made for " + str(job.backend))

@hookimpl
def aligntune_run_event(event):
    note(type(event).__name__)

def note(word):
    with open("observed.txt", "a") as file:
        file.write(f"{os.getpid()} {word}\\n")
"""


@pytest.fixture
def _observed(site):
    told = site / "acme_ledger-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-ledger\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[aligntune_core.observers]\nledger = acme_ledger\n")
    (site / "acme_ledger.py").write_text(OBSERVER)
    yield
    sys.modules.pop("acme_ledger", None)


@pytest.mark.parametrize("isolation", ["process", None])
@pytest.mark.usefixtures("_observed")
def test_an_observer_is_told_once_and_here(made, isolation):
    events = []
    made(events, isolation=isolation).train()
    lines = [line.split(" ", 1) for line in Path("observed.txt").read_text().splitlines()]
    assert {int(pid) for pid, _ in lines} == {os.getpid()}
    words = [word for _, word in lines]
    assert words.count("made for acting") == 1
    words.remove("made for acting")
    assert words == [type(event).__name__ for event in events]
    assert words[-1] == "Finished"
