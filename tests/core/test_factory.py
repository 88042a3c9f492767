"""From a verdict to a trainer."""

from __future__ import annotations

import pytest

import aligntune
from aligntune.core.backend_factory import BackendType, create_rl_trainer, create_sft_trainer, get_backend_status
from aligntune_core import (
    BackendError,
    Capability,
    DataError,
    JobError,
    Notice,
    Problem,
    RunError,
    Trainer,
    TrainResult,
    hookimpl,
)  # fmt: skip
from aligntune_core.backends.origins import install_command
from aligntune_core.check.decide import decide
from aligntune_core.events import Decided
from aligntune_core.run.launch import create_trainer, launch


@pytest.fixture
def start(backends, job):
    """Launch a job on backends of this process; gives the trainer and what was told."""

    def make(*plugins, **changes):
        known = backends(*(plugins or ["fake"]))
        told = []
        return launch(decide(job(**changes), backends=known), on_event=told.append, backends=known), told

    return make


@pytest.fixture
def here(monkeypatch, backends):
    """Make backends of this process the only ones that there are."""

    def make(*plugins):
        known = backends(*(plugins or ["fake"]))
        for module in ("check.ask", "check.decide", "run.launch", "backends.queries"):
            monkeypatch.setattr(f"aligntune_core.{module}.registry", lambda: known)
        monkeypatch.setattr("aligntune.core.backend_factory.registry", lambda: known)
        return known

    return make


def test_the_backend_s_trainer_is_what_a_user_drives(start, fake):
    backend = fake()
    trainer, _ = start(backend)
    assert trainer == backend.trainer
    assert isinstance(trainer, Trainer)
    assert isinstance(trainer, type(backend.trainer))
    assert isinstance(trainer.train(), TrainResult)


def test_what_was_decided_is_told_before_the_trainer_is_made(fake, backends, job):
    told = []

    class Telling(type(fake())):
        @hookimpl
        def aligntune_create_trainer(self, job, emit):
            emit(Notice("loading"))
            return self.trainer

    known = backends(Telling("telling", Capability("sft", features=["cpu", "full"])), "other")
    verdict = decide(job(max_steps=1, num_epochs=1), backends=known)
    launch(verdict, on_event=told.append, backends=known)
    assert told == [
        Decided(
            backend="other",
            reason="it is the first that supports the whole job here",
            rejected=verdict.rejected,
            warnings=("'num_epochs' has no effect, since 'max_steps' is given too and wins. Keep one.",),
        )
    ]
    told.clear()
    launch(decide(job(backend="telling"), backends=known), on_event=told.append, backends=known)
    assert [type(event).__name__ for event in told] == ["Decided", "Notice"]


def test_a_refused_job_makes_nothing(start, fake):
    backend = fake("picky", problems=[Problem("no", "no.")])
    with pytest.raises(JobError, match=r"The job can't run:\n  - no\."):
        start(backend, backend="picky")
    assert backend.created == []


@pytest.mark.parametrize("returned", [3, "a trainer", object(), dict])
def test_what_is_no_trainer_is_the_backend_s_fault(start, fake, returned):
    backend = fake()
    backend.trainer = returned
    with pytest.raises(BackendError, match=r"backend 'fake' returned .*, which is not a trainer") as caught:
        start(backend)
    assert "authors" in caught.value.fix


def test_nothing_is_no_trainer(start, fake):
    backend = fake()
    backend.trainer = None
    with pytest.raises(BackendError, match="returned NoneType"):
        start(backend)


@pytest.mark.parametrize(
    "error", [DataError("no rows."), RunError("died."), ValueError("odd"), KeyError("x"), MemoryError()]
)
def test_what_a_backend_raises_is_not_touched(start, fake, error):
    with pytest.raises(type(error)) as caught:
        start(fake(trainer=error))
    assert caught.value is error
    assert caught.value.__cause__ is None


def test_observers_see_the_job_and_the_trainer(start, fake):
    backend, watcher = fake(), fake("watcher")
    trainer, told = start(backend, watcher, backend="fake")
    assert [(job.backend, made is trainer) for job, made in backend.created + watcher.created] == [("fake", True)] * 2
    assert [type(event).__name__ for event in told] == ["Decided"]


def test_an_observer_that_fails_is_told_of_and_stops_nothing(start, fake):
    backend, faulty, watcher = fake(), fake("faulty"), fake("watcher")
    faulty.created = None
    trainer, told = start(backend, faulty, watcher, backend="fake")
    assert trainer == backend.trainer
    assert len(watcher.created) == 1
    notice = told[-1]
    assert (type(notice), notice.warning) == (Notice, True)
    assert "backend 'faulty' failed to observe the trainer: AttributeError" in notice.message


def test_the_face_makes_trainers_by_keyword(here, fake, job):
    backend = fake()
    here(backend)
    keys = {key: value for key, value in job().items() if key != "algorithm"}
    quiet = {"on_event": lambda _event: None}
    assert create_sft_trainer(**keys, backend="fake", batch_size=4, **quiet) == backend.trainer
    assert create_sft_trainer(**keys, **quiet) == backend.trainer
    assert create_sft_trainer(**keys, backend=None, **quiet) == backend.trainer
    assert create_trainer(**job(backend="fake"), **quiet) == backend.trainer
    pairs = {key: value for key, value in job(algorithm="dpo").items() if key != "algorithm"}
    assert create_rl_trainer(**pairs, algorithm="DPO", backend="FAKE", **quiet) == backend.trainer
    assert [made.algorithm for made, _ in backend.created] == ["sft", "sft", "sft", "sft", "dpo"]
    assert [made.backend for made, _ in backend.created] == ["fake"] * 5


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"model_name": None}, "the job has no 'model_name'"),
        ({"dataset_name": object()}, "'dataset_name' is <object object"),
        ({"dataset_name": None}, "the job has no 'dataset_name'"),
        ({"backend": 3}, "'backend' is 3, but text is expected"),
        ({"backend": "fkae"}, "there is no backend 'fkae'. Did you mean 'fake'?"),
        ({"backend": BackendType.TRL}, "backend 'trl' is not installed"),
        ({"batch_size": float("nan")}, "'batch_size' is nan, but a finite number is expected"),
        ({"batch_size": 10**30}, "but must be at most 2147483647"),
        ({"Batch_Size": 4}, "a job has no key 'Batch_Size'. Did you mean 'batch_size'?"),
        ({"column_mapping": {1: 2}}, "a mapping from text to text is expected"),
        ({"output_dir": ""}, "it may not be empty"),
        ({"use_peft": "perhaps"}, "true or false is expected"),
    ],
)
def test_bad_calls_are_refused_in_words(here, job, keys, said):
    here()
    given = {"model_name": "org/m", "dataset_name": job()["dataset_name"], **keys}
    with pytest.raises(JobError) as caught:
        create_sft_trainer(**given)
    assert said in str(caught.value)


def test_everything_wrong_with_a_call_is_said_at_once(here):
    here()
    with pytest.raises(JobError) as caught:
        create_sft_trainer(model_name=None, dataset_name=object(), backend=3)
    assert {problem.key for problem in caught.value.problems} == {"model_name", "dataset_name", "backend"}
    told = caught.value.to_dict()
    assert (told["type"], told["code"], len(told["problems"])) == ("JobError", "job", 3)


def test_a_check_and_a_launch_say_the_same(here):
    here()
    keys = {"algorithm": "dpo", "model_name": "./nowhere", "dataset_name": "org/x", "lr": 1}
    verdict = aligntune.check(**keys)
    with pytest.raises(JobError) as caught:
        create_trainer(**keys)
    assert caught.value.problems == verdict.errors


def test_the_status_of_backends(here):
    here()
    told = get_backend_status()
    standing = {name: backend.pop("standing") for name, backend in told.items()}
    assert {name: [answer["yes"] for answer in answers.values()] for name, answers in standing.items()} == {
        "trl": [False, None, None, None],
        "unsloth": [False, None, None, None],
        "fake": [True, True, True, True],
    }
    assert told == {
        "trl": {
            "status": "missing",
            "version": "",
            "reason": "aligntune-trl is not installed",
            "install": install_command(["aligntune-trl"]),
            "notes": [],
            "environment": "",
        },
        "unsloth": {
            "status": "missing",
            "version": "",
            "reason": "aligntune-unsloth is not installed",
            "install": install_command(["aligntune-unsloth"]),
            "notes": [],
            "environment": "",
        },
        "fake": {"status": "ready", "version": "", "reason": "", "install": "", "notes": [], "environment": ""},
    }


def test_every_public_name_is_there():
    for name in aligntune.__all__:
        assert getattr(aligntune, name) is not None
    assert set(dir(aligntune)) == set(aligntune.__all__)
    with pytest.raises(AttributeError, match="no attribute 'create_sft_trainr'"):
        _ = aligntune.create_sft_trainr


@pytest.mark.parametrize(
    ("factory", "algorithm", "other"),
    [(create_sft_trainer, "dpo", "create_rl_trainer"), (create_rl_trainer, "SFT", "create_sft_trainer")],
)
def test_a_factory_trains_what_its_name_says(factory, algorithm, other):
    with pytest.raises(JobError, match=f"does not train '{algorithm}'. Use {other}"):
        factory("builtin:tiny", "builtin:instructions", algorithm=algorithm, backend="trl")
