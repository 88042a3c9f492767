"""What only a process of its own shows: its exit, what is written as it ends, a plugin that hangs, and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import JOB
from kinds import KINDS, WHOLE

PROGRAM = (sys.executable, "-c", "from aligntune_core.cli.main import main; main()")
HANGS = "import time\nwhile True: time.sleep(0.05)\n"


def started(environment, *words, **changes):
    paths = [str(environment.site), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    return subprocess.Popen(
        [*PROGRAM, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **changes},
    )


def run(environment, *words):
    with started(environment, *words) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


SAMPLE = (
    *("raises", "exits well", "interrupts", "prints", "prints past Python", "closes standard output"),
    *("closes what is behind it", "leads it elsewhere", "has no standard output", "ends as the process ends"),
    *("clears all variables", "keeps it for a log"),
)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_process_answers_as_if_it_were_alone(environment, name):
    kind = KINDS[name]
    environment.install("odd", kind.first + WHOLE.format(name="odd") + kind.last)
    environment.install("acme", WHOLE.format(name="acme"))
    code, out, _ = run(environment, "capabilities", "--json")
    assert code == 0
    found = json.loads(out)["backends"]
    assert (found["odd"]["status"], found["acme"]["status"]) == ("ready" if kind.ready else "broken", "ready")
    assert kind.says in " ".join([found["odd"]["reason"], *found["odd"]["notes"]])


def test_a_train_and_a_check_answer_so_too(environment):
    kind = KINDS["ends as the process ends"]
    environment.install("odd", kind.first + "import sys\nsys.__stdout__.write('hello')\n" + WHOLE.format(name="odd"))
    for words in (["train", "--json"], ["check", "--fast", "--json"], ["backends", "--json"]):
        code, out, err = run(environment, *words, *(("backend=odd", *JOB) if words[0] != "backends" else ()))
        assert code == 0
        json.loads(out)
        assert "bye" in err


@pytest.fixture
def hanging(environment):
    """A plugin that never comes to an end when it is imported, and one that is whole."""
    environment.install("odd", HANGS)
    environment.install("acme", WHOLE.format(name="acme"))
    return environment


def test_a_backend_that_is_named_does_not_wait_for_one_that_hangs(hanging):
    for words in (["check", "--fast"], ["train"]):
        code, out, _ = run(hanging, *words, "--json", "backend=acme", *JOB)
        assert code == 0
        assert json.loads(out)["backend"] == "acme"
    code, out, _ = run(hanging, "capabilities", "--backend", "acme", "--json")
    assert (code, [*json.loads(out)["backends"]]) == (0, ["acme"])


@pytest.mark.parametrize(
    "words", [["capabilities", "--json"], ["check", *JOB], ["check", "--fast", *JOB], ["train", *JOB], ["doctor"]]
)
def test_one_that_hangs_is_named_in_the_answer_to_an_interruption(hanging, words):
    mark = hanging.site.parent / "began"
    hanging.install("even_odder", f"open({str(mark)!r}, 'w').close()\n{HANGS}", name="a_first")
    with started(hanging, *words) as process:
        while not mark.exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err == "Interrupted while backend 'a_first' was imported.\n"


def test_one_that_hangs_is_named_after_some_seconds(hanging):
    with started(hanging, "capabilities", "--json") as process:
        line = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert line == (
        "aligntune: backend 'odd' takes long: 5 seconds have gone by while it was imported. Ctrl-C ends that, and "
        "ALIGNTUNE_DISABLED_BACKENDS=odd leaves it out.\n"
    )
    assert out == ""
