"""A hook that fails is told as its backend's failure, whatever it raises, and keeps nobody else from going on."""

from __future__ import annotations

import pytest

from aligntune_core import Algorithm, BackendError, Capability, ModelError, hookimpl
from aligntune_core.algorithms import DatasetKind, Task
from aligntune_core.backends.hooks import HookError, contained
from aligntune_core.check.decide import decide


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
        known.call(known.get("fake"), "aligntune_plan_job", "worked out the run", job=None, rows=None)
    kind = type(error).__name__
    assert caught.value.message == f"backend 'fake' failed while it worked out the run: {kind}: no."
    assert caught.value.__cause__ is error
    assert isinstance(caught.value, BackendError)
    problem = caught.value.problem
    assert (problem.code, problem.key, problem.message) == ("backend-broken", "backend", caught.value.message)


def test_what_a_user_can_put_right_is_left_as_it_is(failing):
    known = failing(ModelError("no such model."))
    with pytest.raises(ModelError, match="no such model"):
        known.call(known.get("fake"), "aligntune_plan_job", "worked out the run", job=None, rows=None)


def test_an_interruption_is_no_failure_of_the_backend(failing):
    known = failing(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        known.call(known.get("fake"), "aligntune_plan_job", "worked out the run", job=None, rows=None)


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
