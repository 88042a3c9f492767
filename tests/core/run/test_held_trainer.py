"""What a backend returns as its trainer is checked by its members, and used as it is; its exceptions are its own."""

from __future__ import annotations

import pytest
from scripted import Script, ScriptedTrainer, driven, made

from aligntune_core import BackendError, DataError, RunError


def without(*names):
    members = {"model": 1, "tokenizer": 1, "native": 1, "train": lambda _: 0, "evaluate": lambda _: 0,
               "save": lambda _, path=None, *, merge=False: (path, merge)}  # fmt: skip
    return lambda *_: type("Odd", (), {name: value for name, value in members.items() if name not in names})()


def changed(**members):
    return type("Odd", (ScriptedTrainer,), members)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (without("native"), "returned Odd, which is not a trainer: it has no native."),
        (without("save", "train", "model"), "which is not a trainer: it has no model, train, save."),
        (lambda *_: None, "returned NoneType, which is not a trainer."),
        (lambda *_: ScriptedTrainer, "returned the class ScriptedTrainer itself, which is not a trainer."),
        (changed(train=3), "its train can't be called, it is of type int."),
        (changed(evaluate=None, save="x"), "it is of type NoneType; its save can't be called, it is of type str."),
        (changed(train=lambda _, steps: steps), "its train can't be called as train()."),
        (changed(save=lambda _, path=None: path), "its save can't be called as save(path, merge=...)."),
        (changed(save=lambda _, *, merge=False: merge), "its save can't be called as save(path, merge=...)."),
        (changed(evaluate=classmethod(lambda _, rows: rows)), "its evaluate can't be called as evaluate()."),
    ],
)  # fmt: skip
def test_what_a_trainer_lacks_is_named(planted, kind, said):
    planted(Script(), kind)
    with pytest.raises(BackendError) as caught:
        made()
    assert said in caught.value.message
    assert caught.value.message.startswith("backend 'planted' returned ")


def test_no_property_of_a_trainer_is_looked_at_before_it_is_asked_for(planted):
    def read(_):
        raise ZeroDivisionError("it was evaluated")

    planted(Script(), changed(**dict.fromkeys(("model", "tokenizer", "native"), property(read))))
    trainer = made()
    trainer.train()
    with pytest.raises(ZeroDivisionError):
        _ = trainer.native


def test_a_trainer_may_look_its_members_up(planted):
    class Passing:
        def __init__(self, *given):
            self.inner = ScriptedTrainer(*given)

        def __getattr__(self, name):
            return getattr(self.inner, name)

    planted(Script(), Passing)
    assert driven() == {"eval_loss": 1.0}


def test_a_trainer_is_used_as_the_backend_s_own(planted):
    planted(Script(), changed(further=lambda _, n: n + 1, count=0))
    trainer = made()
    assert isinstance(trainer, ScriptedTrainer)
    assert trainer.native == "the engine's"
    assert trainer.further(2) == 3
    trainer.count = 5
    assert trainer._trainer.count == 5
    del trainer.count
    assert trainer.count == 0
    assert "further" in dir(trainer)
    assert "Odd" in repr(trainer)
    assert {trainer: 1}[trainer._trainer] == 1
    with pytest.raises(AttributeError, match="nothing"):
        _ = trainer.nothing


@pytest.mark.parametrize(
    ("name", "doing"), [("train", "trained"), ("evaluate", "evaluated"), ("save", "saved the model")]
)
def test_an_engine_s_exception_stays_what_it_is_and_names_the_backend(planted, name, doing):
    error = ZeroDivisionError("the engine's own words")
    planted(Script(raises={name: error}))
    with pytest.raises(ZeroDivisionError) as caught:
        driven()
    assert caught.value is error
    assert caught.value.__notes__ == [f"Raised by backend 'planted' while it {doing}."]


@pytest.mark.parametrize("error", [DataError("no rows."), RunError("died."), KeyboardInterrupt()])
def test_what_is_for_the_user_passes_as_it_is(planted, error):
    planted(Script(raises={"train": error}))
    with pytest.raises(type(error)) as caught:
        driven()
    assert caught.value is error
    assert not hasattr(error, "__notes__")
    assert error.__cause__ is None


class Leaving(ScriptedTrainer):
    def __init__(self, *_):
        raise SystemExit(5)


class Failing(ScriptedTrainer):
    def __init__(self, *_):
        raise ZeroDivisionError("while it was made")


def test_what_a_backend_raises_while_it_makes_a_trainer_names_it(planted):
    planted(Script(), Leaving)
    with pytest.raises(
        RunError, match=r"'planted' tried to end the process while it made the trainer: SystemExit: 5\."
    ):
        made()
    planted(Script(), Failing)
    with pytest.raises(ZeroDivisionError) as caught:
        made()
    assert caught.value.__notes__ == ["Raised by backend 'planted' while it made the trainer."]
