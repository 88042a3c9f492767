"""Observers are told of every run, whatever its backend, and are never in the way of one."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from scripted import RUN, Script, ScriptedTrainer, driven, made

from aligntune_core import DataReady, Notice
from aligntune_core.groups import OBSERVER_GROUP
from aligntune_core.run import observers

HEAD = "import sys\nfrom aligntune_core import hookimpl\ntold = []\n"
GOOD = (
    HEAD
    + """
@hookimpl
def aligntune_trainer_created(job, trainer):
    told.append(("made", job.backend, trainer.native))

@hookimpl
def aligntune_run_event(event):
    told.append(type(event).__name__)
"""
)


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """Observers as distributions would bring them: modules by name, each with what it was told."""
    monkeypatch.syspath_prepend(str(tmp_path))
    points, names = [], []

    def point(name, module):
        def load():
            __import__(module)
            return sys.modules[module]

        return SimpleNamespace(name=name, value=module, dist=None, load=load)

    def make(**sources):
        for name, source in sources.items():
            module = f"observer_{name}_{len(names)}"
            names.append(module)
            (tmp_path / f"{module}.py").write_text(source)
            points.append(point(name.rstrip("_"), module))
        return lambda number: sys.modules[names[number]].told

    monkeypatch.setattr(observers, "installed_entry_points", lambda group: points if group == OBSERVER_GROUP else [])
    yield make
    for name in names:
        sys.modules.pop(name, None)


def warnings_of(events):
    return [event.message for event in events if isinstance(event, Notice) and event.warning]


def test_an_observer_is_told_of_the_whole_run_in_order(planted, installed):
    told_of = installed(watch=GOOD)
    ready = DataReady("training data", "rows.jsonl", "alpaca", 8)
    planted(Script(before=(ready,)))
    events = []
    driven(events)
    assert warnings_of(events) == []
    names = [type(event).__name__ for event in events]
    assert names[:2] == ["Decided", "DataReady"]
    assert told_of(0) == [*names[:2], ("made", "planted", "the engine's"), *names[2:]]
    assert told_of(0)[3 : 3 + len(RUN)] == ["Started", "Stepped", "Stepped", "Stepped", "Finished"]


def test_an_observer_is_not_imported_before_the_trainer_is_made(planted, installed, monkeypatch):
    installed(watch=HEAD + "assert 'made_by_now' in sys.modules\n" + GOOD)

    class Marking(ScriptedTrainer):
        def __init__(self, *given):
            super().__init__(*given)
            monkeypatch.setitem(sys.modules, "made_by_now", SimpleNamespace())

    planted(Script(), Marking)
    events = []
    made(events)
    assert warnings_of(events) == []


FAULTS = {
    "fails at import": ("1 / 0", "can't be imported and is told no more of this run: ZeroDivisionError"),
    "exits at import": ("raise SystemExit(3)", "can't be imported and is told no more of this run: SystemExit: 3"),
    "fails on an event": (
        HEAD + "@hookimpl\ndef aligntune_run_event(event): told.append(1) or 1 / 0\n",
        "failed to observe Decided and is told no more of this run: ZeroDivisionError",
    ),
    "exits on an event": (
        HEAD + "@hookimpl\ndef aligntune_run_event(event): type(event).__name__ == 'Stepped' and sys.exit(4)\n",
        "failed to observe Stepped and is told no more of this run: SystemExit: 4",
    ),
    "is cancelled on an event": (
        HEAD + "import asyncio\n@hookimpl\ndef aligntune_run_event(event): raise asyncio.CancelledError('gone')\n",
        "failed to observe Decided and is told no more of this run: CancelledError: gone",
    ),
    "ends a generator at import": (
        "raise GeneratorExit",
        "can't be imported and is told no more of this run: GeneratorExit",
    ),
    "fails on the trainer": (
        HEAD + "@hookimpl\ndef aligntune_trainer_created(): raise OSError('no')\n",
        "failed to observe the trainer and is told no more of this run: OSError: no",
    ),
    "misspells an argument": (
        HEAD + "@hookimpl\ndef aligntune_run_event(evnt): ...\n",
        "can't be imported and is told no more of this run: PluginValidationError",
    ),
    "misspells a hook": (
        HEAD + "@hookimpl\ndef aligntune_run_evnt(event): ...\n",
        "implements 'aligntune_run_evnt', a hook that this core does not know and never calls. Did you mean",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_that_is_broken_is_told_of_once_and_stops_nothing(planted, installed, fault):
    source, said = FAULTS[fault]
    told_of = installed(odd=source, good=GOOD)
    planted(Script())
    events = []
    assert driven(events) == {"eval_loss": 1.0}
    (warning,) = warnings_of(events)
    assert warning.startswith("observer 'odd'")
    assert said in warning
    assert "Finished" in told_of(1)


def test_what_an_observer_changes_is_its_own(planted, installed):
    installed(bad=HEAD + "@hookimpl\ndef aligntune_run_event(event): getattr(event, 'metrics', {}).clear()\n")
    planted(Script())
    events = []
    driven(events)
    assert next(event.metrics for event in events if type(event).__name__ == "Stepped") == {"loss": 3.0}


def test_two_of_one_name_are_both_told(planted, installed):
    told_of = installed(watch=GOOD, watch_=GOOD)
    planted(Script())
    driven([])
    assert told_of(0) == told_of(1) != []


def test_an_interruption_is_the_users_own(planted, installed):
    installed(odd=HEAD + "@hookimpl\ndef aligntune_run_event(event): raise KeyboardInterrupt\n")
    planted(Script())
    with pytest.raises(KeyboardInterrupt):
        made([])


def test_a_run_that_ends_in_an_error_was_told_until_then(planted, installed):
    told_of = installed(watch=GOOD)
    planted(Script(raises={"train": OSError("disk")}, events=RUN[:2]))
    trainer = made([])
    with pytest.raises(Exception, match="disk"):
        trainer.train()
    assert told_of(0)[-2:] == ["Started", "Stepped"]
