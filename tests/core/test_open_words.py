"""A plugin may name tasks, kinds of rows and features that the core does not know, which shows and passes them on."""

from __future__ import annotations

import json

import pytest

from aligntune_core import Algorithm, AlignTuneError, Capability, Feature
from aligntune_core.backends.queries import capabilities, find_backends, supports
from aligntune_core.check.decide import decide
from aligntune_core.cli.screens import backends as backends_screen
from aligntune_core.cli.screens import matrix

DISTIL = Algorithm("gkd", "Generalised knowledge distillation", "distillation", "teacher_answers", "arXiv 2306.13649")
ROW = frozenset({"full", "lora", "cpu", "cuda", "fp8"})


@pytest.fixture
def known(backends, fake):
    acme = fake("acme", Capability("sft", features=ROW), Capability("gkd", features=ROW), algorithms=(DISTIL,))
    return backends("plain", acme)


@pytest.fixture
def screen(known, monkeypatch, capsys):
    monkeypatch.setattr(matrix, "registry", lambda: known)
    monkeypatch.setattr(backends_screen, "registry", lambda: known)
    monkeypatch.setattr("aligntune_core.backends.queries.registry", lambda: known)

    def show(**options):
        matrix.show(**options)
        return capsys.readouterr().out

    return show


def test_a_feature_of_its_own_is_shown(screen):
    assert "acme sft, gkd: cpu, cuda, fp8, full, lora" in " ".join(screen(backend="acme").split())
    rows = json.loads(screen(backend="acme", json=True))["capabilities"]
    assert {"fp8"} == {each for row in rows for each in row["features"]} - set(Feature)


def test_a_feature_of_its_own_filters(known):
    assert {(row.backend, row.algorithm) for row in capabilities(features="fp8,lora", backends=known)} == {
        ("acme", "sft"),
        ("acme", "gkd"),
    }
    assert [found.name for found in find_backends(features=["FP8"], backends=known)] == ["acme"]


def test_a_feature_of_one_backend_is_known_of_all(known):
    assert supports("acme", "sft", "fp8", backends=known)
    answer = supports("plain", "sft", "fp8", backends=known)
    assert (answer.yes, answer.reason) == (False, "backend 'plain' does not train 'sft' with 'fp8'.")
    # what the core knows is named first
    answer = supports("plain", "sft", "fp8", "multi_gpu", backends=known)
    assert answer.reason == "backend 'plain' does not train 'sft' on several GPUs, with 'fp8'."


@pytest.mark.parametrize(("asked", "meant"), [("fp9", "fp8"), ("loar", "lora")])
def test_a_misspelt_feature_is_answered_with_the_nearest_of_all(known, asked, meant):
    with pytest.raises(AlignTuneError) as refused:
        capabilities(features=asked, backends=known)
    assert str(refused.value) == f"there is no feature '{asked}'. Did you mean '{meant}'?"


def test_a_feature_of_its_own_needs_no_other_plugin(plugin):
    from aligntune_core.backends.registry import Registry

    own = plugin("acme", after=SOURCE.format("'fp8'"))
    other = plugin("bolt", before="1 / 0\n")
    known = Registry(entry_points=[own, other], environ={})
    assert supports("acme", "sft", "fp8", backends=known)
    assert "bolt" not in known._backends


SOURCE = """
@hookimpl
def aligntune_backend_info():
    row = Capability("sft", features=["full", "cpu", {}])
    return BackendInfo(name="acme", summary="", contract=1, capabilities=(row,))
"""


def test_a_feature_spelt_otherwise_breaks_only_its_plugin(plugin):
    from aligntune_core.backends.registry import Registry

    known = Registry(entry_points=[plugin("acme", after=SOURCE.format("'FP8'")), plugin("bolt")], environ={})
    assert "a feature is called 'FP8', but names are spelt like 'fp8'" in known.get("acme").reason
    assert known.get("bolt").ready


def test_a_task_of_its_own_is_shown_and_asked_for(known, screen):
    assert [row.algorithm for row in capabilities(task="Distillation", backend="acme", backends=known)] == ["gkd"]
    assert "distillation" in screen(task="distillation")
    assert json.loads(screen(task="distillation", backend="acme", json=True))["capabilities"][0]["task"] == (
        "distillation"
    )
    with pytest.raises(AlignTuneError) as refused:
        capabilities(task="distilation", backends=known)
    assert str(refused.value) == "there is no task 'distilation'. Did you mean 'distillation'?"


def test_a_job_of_its_own_task_is_checked(known, job):
    rows = [{"question": "2+2?", "teacher": "4"}]
    (problem,) = decide(job(algorithm="gkd", dataset_name=rows, backend="acme", temperature=0.9), backends=known).errors
    # the key is not called idle, since only the backend knows its task; that no format has its rows is told
    assert problem.message == "'gkd' learns from teacher answers, and no format is known that holds them."


def test_words_of_its_own_are_in_what_a_distribution_records(known):
    from aligntune_core.backends.recorded import Recorded, from_values, to_values

    recorded = Recorded(known.get("acme").info, (DISTIL,))
    assert from_values(json.loads(json.dumps(to_values(recorded)))) == recorded
