"""A hook that fails is told as its backend's failure, whatever it raises, and keeps nobody else from going on."""

from __future__ import annotations

import signal

import pytest

from aligntune_core import Algorithm, BackendError, Capability, ModelError, hookimpl
from aligntune_core.algorithms import DatasetKind, Task
from aligntune_core.backends.hooks import HookError, contained
from aligntune_core.check.decide import decide
from aligntune_core.check.planned import planned


@pytest.fixture
def failing(backends, fake):
    """A registry whose one backend raises an exception in its plan, in its check and when it hears of a trainer."""

    def make(error):
        plugin = fake("fake", Capability("sft", features=("full", "cpu")))

        class Failing(type(plugin)):
            @hookimpl
            def aligntune_plan_job(self, job, rows):
                raise error

            @hookimpl
            def aligntune_check_job(self, job, probe):
                yield from ()
                raise error

            @hookimpl
            def aligntune_trainer_created(self, job, trainer):
                raise error

        plugin.__class__ = Failing
        return backends(plugin)

    return make


@pytest.mark.parametrize("error", [ValueError("no."), SystemExit("no.")], ids=["exception", "exit"])
def test_whatever_a_hook_raises_becomes_one_error_that_names_the_backend(failing, error):
    known = failing(error)
    with pytest.raises(HookError) as caught:
        planned(None, None, known.get("fake"), known)
    kind = type(error).__name__
    assert caught.value.message == f"backend 'fake' failed while it worked out the run: {kind}: no."
    assert caught.value.__cause__ is error
    assert isinstance(caught.value, BackendError)
    problem = caught.value.problem
    assert (problem.code, problem.key, problem.message) == ("backend-broken", "backend", caught.value.message)


def test_what_a_user_can_put_right_is_left_as_it_is(backends):
    with pytest.raises(ModelError, match="no such model"), contained(backends("fake").get("fake"), "did something"):
        raise ModelError("no such model.")


def test_an_interruption_is_no_failure_of_the_backend(backends):
    backend = backends("fake").get("fake")
    said = pytest.raises(KeyboardInterrupt, match="while backend 'fake' did something")
    with said, contained(backend, "did something"):
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_one_that_it_raises_itself_is(backends):
    said = pytest.raises(HookError, match="failed while it did something: KeyboardInterrupt")
    with said, contained(backends("fake").get("fake"), "did something"):
        raise KeyboardInterrupt


def test_where_others_handle_interruptions_none_is_taken_for_the_backend_s(backends, monkeypatch):
    monkeypatch.setattr(signal, "getsignal", lambda _: print)
    with pytest.raises(KeyboardInterrupt), contained(backends("fake").get("fake"), "did something"):
        raise KeyboardInterrupt


@pytest.mark.parametrize("error", [ValueError("no."), SystemExit("no."), ModelError("no.")])
def test_what_a_check_raises_while_it_is_heard_is_a_problem(failing, job, error):
    verdict = decide(job(backend="fake"), backends=failing(error))
    (problem,) = verdict.problems
    assert str(problem).startswith(f"backend 'fake' failed while it checked the job: {type(error).__name__}: no.")


@pytest.mark.parametrize("error", [ValueError("no."), SystemExit("no.")], ids=["exception", "exit"])
def test_an_observer_that_fails_is_told_and_ends_nothing(failing, error):
    known = failing(error)
    known.get("fake")
    assert known.announce("aligntune_trainer_created", job=None, trainer=None) == {"fake": error}


def test_what_goes_well_is_passed_on(backends):
    with contained(backends("fake").get("fake"), "did nothing"):
        found = 1
    assert found == 1


def test_a_backend_is_asked_for_its_algorithms_once(backends, fake):
    own = Algorithm("own", "Own", Task.SFT, DatasetKind.DEMONSTRATIONS, "of this test")
    plugin = fake("fake", Capability("own"), algorithms=(own,))
    known = backends(plugin)
    assert own in known.algorithms(["fake"])
    plugin.algorithms = None
    assert own in known.algorithms(["fake"])
