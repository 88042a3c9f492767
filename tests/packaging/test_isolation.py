"""Unsloth installed beside TRL, by a stand-in that rewrites TRL's classes when it is imported, as the real one does."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.packaging

BEGIN = """
import json, os, sys
import aligntune
from aligntune import BackendType, JobError, create_sft_trainer
def unsloths():
    return sorted({name.split(".")[0] for name in sys.modules if "unsloth" in name.lower()})
def tell(**values):
    print(json.dumps(dict(values, unsloths=unsloths(), mark="UNSLOTH_IS_PRESENT" in os.environ)))
"""
TRAIN = """
results = []
for backend in ("trl", BackendType.TRL):
    trainer = create_sft_trainer(
        "builtin:tiny", "builtin:instructions", backend=backend, max_steps=1, batch_size=2, output_dir="out"
    )
    results.append(trainer.train().steps)
import trl
tell(results=results, classes=[trl.SFTTrainer.__module__, trl.DPOTrainer.__module__])
"""


@pytest.fixture(scope="module")
def rewritten(with_unsloth):
    """A process in which unsloth was imported first, and what a job for TRL is told in it."""
    return with_unsloth.script(
        BEGIN
        + """
import unsloth, trl
from trl import SFTTrainer
refused = []
for backend in ("trl", BackendType.TRL):
    try:
        create_sft_trainer("builtin:tiny", "builtin:instructions", backend=backend)
    except JobError as error:
        refused.append([problem.to_dict() for problem in error.problems])
tell(refused=refused, classes=[trl.SFTTrainer.__module__, trl.DPOTrainer.__module__, SFTTrainer.__module__])
"""
    )


def test_the_stand_in_really_rewrites_trl(rewritten):
    assert rewritten["classes"] == ["UnslothSFTTrainer", "UnslothDPOTrainer", "UnslothSFTTrainer"]
    assert rewritten["mark"]
    assert rewritten["unsloths"] == ["unsloth"]


def test_a_process_that_unsloth_has_rewritten_is_refused(rewritten):
    by_text, by_enum = rewritten["refused"]
    assert by_text == by_enum
    (problem,) = by_text
    assert problem["code"] == "process-patched"
    assert "trl.SFTTrainer is now from 'UnslothSFTTrainer'" in problem["message"]
    assert "trl.DPOTrainer is now from 'UnslothDPOTrainer'" in problem["message"]
    assert "fresh process" in problem["fix"]


def test_trl_by_text_or_enum_trains_on_the_original_classes(with_unsloth):
    told = with_unsloth.script(BEGIN + TRAIN)
    assert told["results"] == [1, 1]
    assert told["classes"] == ["trl.trainer.sft_trainer", "trl.trainer.dpo_trainer"]
    assert told["unsloths"] == []
    assert not told["mark"]


@pytest.mark.parametrize(
    "query",
    [
        "aligntune.capabilities()",
        "aligntune.get_backend_status()",
        "aligntune.supports('unsloth', 'sft')",
        "aligntune.check(level='fast', algorithm='sft', model_name='m/m', dataset_name='builtin:instructions')",
        "aligntune.check(level='fast', algorithm='gspo', model_name='m/m', dataset_name='d/d', backend='unsloth')",
        "BackendType.UNSLOTH",
    ],
)
def test_no_query_imports_unsloth(with_unsloth, query):
    told = with_unsloth.script(f"{BEGIN}\n{query}\ntell()")
    assert set(told["unsloths"]) <= {"aligntune_unsloth"}
    assert not told["mark"]


def test_checking_a_job_for_trl_does_not_load_the_unsloth_plugin(with_unsloth):
    told = with_unsloth.script(
        BEGIN + "verdict = aligntune.check(level='fast', algorithm='sft', model_name='builtin:tiny', backend='trl',\n"
        "    dataset_name='builtin:instructions')\n"
        "tell(ok=verdict.ok)"
    )
    assert told["ok"]
    assert told["unsloths"] == []


HEAVY = {"unsloth", "trl", "torch", "transformers", "peft", "datasets", "numpy"}


@pytest.mark.parametrize(
    ("command", "never"),
    [
        (["capabilities"], HEAVY),
        (["backends"], HEAVY),
        (["check", "--fast"], HEAVY),
        # it reads the data and the tokenizer, and still does not import what rewrites or trains
        (["check"], {"unsloth", "trl"}),
    ],
    ids=["capabilities", "backends", "check --fast", "check"],
)
def test_the_command_line_imports_neither_unsloth_nor_an_engine(with_unsloth, command, never):
    job = ["algorithm=sft", "model_name=builtin:tiny", "dataset_name=builtin:instructions", "backend=trl"]
    words = [*command, "--json", *(job if command[0] == "check" else ())]
    told = with_unsloth.run(with_unsloth.python, "-X", "importtime", with_unsloth.program, *words)
    assert told.returncode == 0, told.stdout
    imported = {line.rsplit("|", 1)[1].strip() for line in told.stderr.splitlines() if line.startswith("import time:")}
    assert "aligntune_core.backends.registry" in imported
    assert not imported & never


def test_the_command_line_trains_on_trl_beside_unsloth(with_unsloth):
    words = ["algorithm=sft", "model_name=builtin:tiny", "dataset_name=builtin:instructions", "max_steps=1"]
    told = with_unsloth.json("train", *words, "output_dir=auto")
    assert (told["backend"], told["steps"]) == ("trl", 1)
