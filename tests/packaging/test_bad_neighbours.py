"""Backends that are broken, take a taken name or import their engine too early, beside ones that keep the contract."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.packaging

WORDS = ("algorithm=sft", "model_name=builtin:tiny", "dataset_name=builtin:instructions", "max_steps=2", "batch_size=2")
TAKEN = "trl [aligntune-taken]"
BAD = {"broken", "hasty", TAKEN}


@pytest.fixture(scope="module")
def standing(crowded):
    """How each backend stands."""
    return crowded.json("backends")


def test_each_is_listed_with_its_status(standing):
    assert {name: each["status"] for name, each in standing.items()} == {
        "trl": "ready",
        "unsloth": "missing",
        "minimal": "ready",
        "hasty": "ready",
        "broken": "broken",
        TAKEN: "broken",
    }


def test_each_is_listed_with_what_is_wrong(standing):
    assert "RuntimeError: libfrobnicate.so.3 is too old" in standing["broken"]["reason"]
    assert "belongs to the distribution aligntune-trl" in standing[TAKEN]["reason"]
    assert standing[TAKEN]["install"] == "pip uninstall aligntune-taken"
    assert "imports torch" in standing["hasty"]["reason"]
    told = {key: value for key, value in standing["trl"].items() if key != "standing"}
    assert told == {"status": "ready", "version": "1.0.0", "reason": "", "install": "", "environment": "", "notes": []}


def test_each_is_listed_with_what_it_lacks(standing):
    def answers(name):
        return {question: told["yes"] for question, told in standing[name]["standing"].items()}

    # its plugin is not imported for that: what its distribution recorded of it is read
    assert answers("trl") == {"installed": True, "plugin": None, "engine": True, "device": True}
    assert answers("broken") == {"installed": True, "plugin": False, "engine": None, "device": None}
    assert answers("unsloth")["plugin"] is not False


def test_they_are_shown_to_people(crowded):
    told = crowded.aligntune("backends").stdout
    assert "libfrobnicate.so.3 is too old" in told
    assert TAKEN in told


def test_the_others_rows_are_the_same_as_without_them(full, crowded):
    def rows(environment):
        return [row for row in environment.json("capabilities")["capabilities"] if row["backend"] in {"trl", "minimal"}]

    assert rows(full)
    assert rows(full) == rows(crowded)


@pytest.mark.parametrize("backend", ["trl", "minimal"])
def test_the_others_train_the_same_as_without_them(full, crowded, backend):
    words = (*WORDS, f"backend={backend}", f"output_dir={backend}")
    alone, beside = full.json("train", *words), crowded.json("train", *words)
    assert alone["steps"] == 2
    assert beside["train_loss"] == pytest.approx(alone["train_loss"], rel=1e-5)


def test_checking_a_job_for_another_imports_none_of_them(crowded):
    told = crowded.script(
        "import json, sys, aligntune\n"
        "verdict = aligntune.check(level='fast', algorithm='sft', model_name='builtin:tiny',"
        " dataset_name='builtin:instructions',\n"
        "    backend='minimal')\n"
        "names = ('aligntune_broken', 'aligntune_taken', 'aligntune_hasty', 'aligntune_trl', 'torch')\n"
        "print(json.dumps([verdict.ok, [name for name in names if name in sys.modules]]))"
    )
    assert told == [True, []]


def test_auto_passes_the_broken_one_over_and_says_why(crowded):
    told = crowded.json("check", *WORDS)
    assert told["backend"] == "trl"
    assert "libfrobnicate.so.3 is too old" in told["rejected"]["broken"]


def test_the_broken_one_raises_its_cause_when_it_is_named(crowded):
    refused = crowded.aligntune("train", *WORDS, "backend=broken", code=2)
    assert "libfrobnicate.so.3 is too old" in refused.stderr
    told = crowded.script(
        "import json\n"
        "from aligntune import JobError, create_sft_trainer\n"
        "try:\n"
        "    create_sft_trainer('builtin:tiny', 'builtin:instructions', backend='broken')\n"
        "except JobError as error:\n"
        "    cause = error.__cause__\n"
        "    codes = [problem.code for problem in error.problems]\n"
        "    print(json.dumps([codes, type(cause).__name__, str(cause)]))\n"
    )
    assert told == [["backend-broken"], "RuntimeError", "libfrobnicate.so.3 is too old"]


def test_the_hasty_one_is_warned_about_when_it_is_named(crowded):
    told = crowded.json("check", *WORDS, "backend=hasty")
    assert [problem["code"] for problem in told["problems"]] == ["backend-heavy"]
    assert told["problems"][0]["severity"] == "warning"
