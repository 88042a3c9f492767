"""``aligntune train --isolation process``: the same words and the same exit codes as in one process."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from processes import lives, read, until

WORDS = ["algorithm=sft", "backend=acting", "model_name=model", "dataset_name=rows.jsonl", "output_dir=out"]
MAIN = "from aligntune_core.cli.main import main; main()"


def started(*words):
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, "train", *WORDS, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def said(*words):
    process = started(*words)
    out, err = process.communicate(timeout=60)
    return process.returncode, json.loads(out) if out else {}, err


def plain(text):
    """What is told, without what two runs never have in common."""
    return re.sub(r"[\d.]+ steps/s.*|eta \S+.*", "", text)


@pytest.mark.parametrize("act", ["", "run-error", "engine-error", "job-error", "system-exit"])
def test_the_outcome_is_that_of_one_process(act):
    here, there = (said("--json", f"backend_args.act={act}", *more) for more in ((), ("--isolation", "process")))
    assert there[:2] == here[:2]
    if act != "engine-error":  # which tells where in the code it was raised
        assert plain(there[2]) == plain(here[2])
    else:
        assert "the engine's own words" in there[2]
        assert "aligntune_acting.py" in there[2]


def test_a_job_file_may_ask_for_it():
    Path("job.yaml").write_text("isolation: process\nbackend_args: {made: look}\n")
    process = subprocess.run(
        [sys.executable, "-c", MAIN, "train", "job.yaml", *WORDS], capture_output=True, text=True, check=True
    )
    pid = int(re.search(r"note: \[(\d+),", process.stderr)[1])
    assert not lives(pid)
    assert "the model is in out" in process.stderr


def test_a_refused_job_exits_with_2():
    code, told, err = said("--json", "--isolation", "process", "batch_size=0")
    assert (code, told["status"]) == (2, "refused")
    assert "Traceback" not in err
    code, told, err = said("--json", "--isolation", "thread")
    assert (code, told["problems"][0]["key"]) == (2, "isolation")


@pytest.mark.parametrize("words", [["--no-such-option"], ["batch_size=0"]])
def test_a_process_that_gets_no_job_leaves_nothing(words, tmp_path):
    code, _, _ = said("--isolation", "process", *words)
    assert code == 2
    assert list((tmp_path / "temporary").iterdir()) == []
    assert not Path("out").exists()


def test_a_run_that_went_well_leaves_no_log(tmp_path):
    code, _, _ = said("--isolation=process", "backend_args.act=printing")
    assert code == 0
    assert list((tmp_path / "temporary").iterdir()) == []


def test_what_an_engine_prints_stays_out_of_what_the_program_prints():
    code, told, err = said("--json", "--isolation", "process", "backend_args.act=printing")
    assert (code, told["status"]) == (0, "ok")
    assert "the engine prints" not in err


def test_a_process_that_dies_is_a_run_that_failed_with_its_last_words():
    code, told, err = said("--json", "--isolation", "process", "backend_args.act=segfault")
    assert (code, told["status"], told["error"]["code"], told["steps"]) == (1, "failed", "process-died", 2)
    told = " ".join(err.split())
    assert "error: the job's process was ended by signal 11 (SIGSEGV) while it trained. It printed last: a last" in told
    assert "Traceback" not in err


@pytest.mark.parametrize("isolation", [(), ("--isolation", "process")])
def test_an_interruption_exits_with_130(isolation):
    process = started("backend_args.act=wait", "--json", *isolation)
    child = int(read("busy"))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert json.loads(out)["error"] == {"type": "KeyboardInterrupt", "message": "interrupted after 2 steps"}
    assert "Interrupted after 2 steps." in err
    assert not lives(child)


@pytest.mark.parametrize("isolation", [(), ("--isolation", "process")])
def test_a_termination_ends_it_as_in_one_process(isolation):
    process = started("backend_args.act=wait", "--json", *isolation)
    child = int(read("busy"))
    process.terminate()
    out, _ = process.communicate(timeout=30)
    # which a shell tells as 143
    assert (process.returncode, out) == (-signal.SIGTERM, "")
    assert until(lambda: not lives(child), 2)
