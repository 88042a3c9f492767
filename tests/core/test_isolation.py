"""Naming a backend touches that backend alone."""

from __future__ import annotations

import json
import sys
from enum import StrEnum

import pytest

from aligntune.core.backend_factory import BackendType
from aligntune_core.backends.queries import supports
from aligntune_core.backends.registry import Registry
from aligntune_core.check.decide import decide

TRAINS = """
@hookimpl
def aligntune_backend_info():
    return BackendInfo({!r}, "", 1, (Capability("sft", features=("full", "cpu")),))
"""


@pytest.fixture
def both(plugin, module_file):
    """Both backends of this project as installed distributions, where Unsloth's drags its engine in when imported."""
    module_file("unsloth_stand_in")
    points = {
        "trl": plugin("trl", after=TRAINS.format("trl")),
        "unsloth": plugin("unsloth", before="import unsloth_stand_in\n", after=TRAINS.format("unsloth")),
    }
    return Registry(entry_points=points.values(), environ={}), points


def test_backend_types_are_their_names():
    assert issubclass(BackendType, StrEnum)
    assert (BackendType.TRL, BackendType.UNSLOTH, BackendType.AUTO) == ("trl", "unsloth", "auto")
    assert json.dumps(BackendType.TRL) == '"trl"'
    assert f"{BackendType.UNSLOTH}" == "unsloth"
    assert {"trl": 1}[BackendType.TRL] == 1


@pytest.mark.parametrize("named", ["trl", "TRL", BackendType.TRL])
def test_selecting_trl_never_imports_unsloth(both, job, named):
    known, points = both
    verdict = decide(job(backend=named), backends=known)
    assert (verdict.ok, verdict.backend) == (True, "trl")
    assert points["trl"].value in sys.modules
    assert points["unsloth"].value not in sys.modules
    assert "unsloth_stand_in" not in sys.modules


@pytest.mark.parametrize("changes", [{"batch_size": 0}, {"model_name": "./nowhere"}, {"lr": 1}])
def test_nor_does_a_job_that_is_refused_for_what_it_says(both, job, changes):
    known, points = both
    assert not decide(job(backend="trl", **changes), backends=known).ok
    assert points["unsloth"].value not in sys.modules


def test_nor_does_a_question_about_trl(both):
    known, points = both
    assert supports("trl", "sft", backends=known)
    assert points["unsloth"].value not in sys.modules


def test_selecting_unsloth_never_imports_trl_s_plugin(both, job):
    known, points = both
    assert decide(job(backend=BackendType.UNSLOTH), backends=known).backend == "unsloth"
    assert points["trl"].value not in sys.modules
    assert "unsloth_stand_in" in sys.modules


def test_a_backend_that_is_switched_off_is_not_imported_by_auto(plugin, job):
    points = [plugin(name, after=TRAINS.format(name)) for name in ("trl", "unsloth")]
    known = Registry(entry_points=points, environ={"ALIGNTUNE_DISABLED_BACKENDS": "unsloth"})
    assert decide(job(), backends=known).backend == "trl"
    assert points[1].value not in sys.modules
