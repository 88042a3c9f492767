"""What a launch does before the first step, seen in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SCRIPT = """
import gc, json, sys
collections = {"full": 0}
def count(phase, told):
    collections["full"] += phase == "start" and told["generation"] == 2
gc.callbacks.append(count)
import aligntune_trl.trainers.make as build
from aligntune import create_trainer
seen = {}
gather = build.gather
def gathering(*arguments):
    made_of = gather(*arguments)
    seen["trl while gathering"] = "trl" in sys.modules
    seen["context"] = made_of.context
    return made_of
build.gather = gathering
create_trainer(
    algorithm="dpo", backend="trl", model_name="builtin:tiny", dataset_name="builtin:preferences", max_steps=1,
    output_dir=sys.argv[1], on_event=lambda event: None)
seen["trl"] = "trl" in sys.modules
seen["collecting"] = gc.isenabled() and not gc.get_freeze_count()
print(json.dumps({**seen, **collections}))
"""


@pytest.fixture(scope="module")
def launch(tmp_path_factory):
    words = [sys.executable, "-c", SCRIPT, str(tmp_path_factory.mktemp("run"))]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def test_data_and_tokenizer_are_there_before_trl_is_imported(launch):
    assert launch["trl"]
    assert not launch["trl while gathering"]
    assert launch["context"] == 1024


def test_the_engines_import_is_not_garbage_collected_over_and_over(launch):
    # eight of them otherwise, each through everything that was imported
    assert launch["full"] <= 1
    assert launch["collecting"]
