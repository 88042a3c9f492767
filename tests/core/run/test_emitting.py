"""What becomes of events, and of what is raised where they are sent: from any thread, at any time."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import pytest
from scripted import JOB, RESULT, RUN, Script, ScriptedTrainer, driven, made

from aligntune_core import BackendError, Evaluated, Finished, Notice, RunError, Saved, Started, Stepped
from aligntune_core.run.launch import create_trainer

DIVERGING = Script(events=[Started(3), Stepped(1, {"loss": float("nan")})])


class Swallowing(ScriptedTrainer):
    """An engine that passes over what its callbacks raise, or makes something else of it."""

    makes: Any = None

    def train(self):
        try:
            return super().train()
        except BaseException as error:
            if self.makes:
                raise self.makes from error
            return RESULT


@pytest.mark.parametrize("makes", [None, ValueError("a callback failed")])
def test_a_fault_that_an_engine_passes_over_is_told_all_the_same(planted, makes):
    planted(DIVERGING, type("Engine", (Swallowing,), {"makes": makes}))
    with pytest.raises(RunError, match="'loss' is nan at step 1"):
        driven()


def test_nothing_more_is_told_after_a_fault_that_an_engine_passes_over(planted):
    class Stubborn(ScriptedTrainer):
        def train(self):
            for event in self.script.events:
                with suppress(RunError):
                    self.emit(event)
            return RESULT

    planted(Script(events=[*DIVERGING.events, *RUN[2:]]), Stubborn)
    told = []
    with pytest.raises(RunError, match="'loss' is nan at step 1"):
        driven(told)
    assert [type(event).__name__ for event in told] == ["Decided", "Started", "Stepped"]


@pytest.mark.parametrize("kind", [ScriptedTrainer, Swallowing])
@pytest.mark.parametrize("error", [KeyError("mine"), SystemExit(7), RunError("enough.")])
def test_what_a_user_s_listener_raises_surfaces(planted, kind, error):
    planted(Script(), kind)

    def listen(event):
        if isinstance(event, Stepped):
            raise error

    trainer = create_trainer(on_event=listen, **JOB)
    with pytest.raises(type(error)) as caught:
        trainer.train()
    assert caught.value is error
    assert not hasattr(error, "__notes__")


def test_a_listener_may_use_the_trainer(planted):
    planted(Script())
    trainers, told = [], []

    def listen(event):
        told.append(event)
        if isinstance(event, Stepped) and event.step == 2:
            trainers[0].save("halfway")

    trainers.append(create_trainer(on_event=listen, **JOB))
    assert trainers[0].train() == RESULT
    assert Saved("halfway") in told


def test_an_interruption_wins_over_a_fault(planted):
    planted(Script(events=[Started(3), Stepped("1")]), type("Engine", (Swallowing,), {"makes": KeyboardInterrupt()}))
    with pytest.raises(KeyboardInterrupt):
        driven()


def in_a_thread(function):
    errors = []

    def run():
        try:
            function()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return errors


class Threaded(ScriptedTrainer):
    def train(self):
        errors = in_a_thread(lambda: [self.emit(event) for event in self.script.events])
        assert [type(error) for error in errors] in ([], [RunError])
        return self.script.result


def test_events_may_come_from_a_thread(planted):
    planted(Script(), Threaded)
    told = []
    assert made(told).train() == RESULT
    assert told[1:] == list(RUN)


def test_a_fault_in_a_thread_ends_the_run(planted):
    planted(DIVERGING, Threaded)
    with pytest.raises(RunError, match="'loss' is nan"):
        driven()


def test_events_of_several_threads_are_told_one_after_the_other(planted):
    class Crowded(ScriptedTrainer):
        def train(self):
            self.emit(Started(3))
            threads = [threading.Thread(target=self.emit, args=(Notice(str(n)),)) for n in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for event in RUN[1:]:
                self.emit(event)
            return RESULT

    planted(Script(), Crowded)
    busy, met = [], []

    def listen(event):
        met.append(len(busy))
        busy.append(event)
        threading.Event().wait(0.002)
        busy.remove(event)

    create_trainer(on_event=listen, **JOB).train()
    assert set(met) == {0}


def test_an_event_of_a_training_that_comes_late_is_left_out_and_said_once(planted):
    planted(Script())
    told = []
    trainer = made(told)
    trainer.train()
    told.clear()
    for event in (Stepped(3), Finished(3, 1.0)):
        trainer.emit(event)
    (notice,) = told
    assert notice.message == "backend 'planted' sent Stepped outside a training: it is left out."
    trainer.emit(Evaluated(3, {"eval_loss": 1.0}))
    assert len(told) == 2


def test_a_fault_between_two_calls_is_told_by_the_next(planted):
    planted(Script())
    told = []
    trainer = made(told)
    assert [type(error) for error in in_a_thread(lambda: trainer.emit("x"))] == [BackendError]
    told.clear()
    with pytest.raises(BackendError, match="sent a str"):
        trainer.train()
    assert told == []
    assert trainer.train() == RESULT


def test_a_user_may_train_with_the_engine_s_own_trainer(planted):
    planted(Script())
    told = []
    trainer = made(told)
    for event in [*RUN[:-1], *RUN[:-1]]:
        trainer.emit(event)
    assert trainer.train() == RESULT
    assert told[1:] == [*RUN[:-1], *RUN[:-1], *RUN]


def test_a_trainer_may_train_again_after_a_fault(planted):
    script = Script(events=[Started(3), Stepped(1, {"loss": float("nan")})])
    planted(script)
    trainer = made()
    with pytest.raises(RunError):
        trainer.train()
    script.events = RUN
    assert trainer.train() == RESULT


def test_a_fault_while_a_trainer_is_made_is_told_then(planted):
    planted(Script(before=[Notice(None)]))
    with pytest.raises(BackendError, match="sent Notice wrongly"):
        made()


def test_signs_of_trouble_are_told_of_any_backend(planted):
    planted(Script(events=[Started(3), Stepped(1, {"loss": 0.0001}), *RUN[2:]]))
    told = []
    made(told).train()
    assert [type(event).__name__ for event in told[1:4]] == ["Started", "Stepped", "Notice"]
    assert told[3].message.startswith("step 1: the loss is 0.0001 from the beginning")


def test_a_training_of_its_own_is_watched_anew(planted):
    planted(Script(events=[Started(3), Stepped(1, {"loss": 0.0001}), *RUN[2:]]))
    told = []
    trainer = made(told)
    trainer.train()
    trainer.train()
    assert len([event for event in told if isinstance(event, Notice)]) == 2


def test_a_step_that_stops_the_run_draws_no_warning(planted):
    script = Script(events=[Started(3), Stepped(1, {"loss": -float("inf")})])
    planted(script)
    told = []
    with pytest.raises(RunError):
        driven(told)
    assert not any(isinstance(event, Notice) for event in told)
