"""``aligntune train``."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

KEYS = ["status", "algorithm", "backend", "steps", "train_loss", "output_dir", "metrics", "reason", "rejected"]


def test_a_job_is_trained_and_saved_and_all_is_told_on_standard_error(aligntune, job_words):
    said = aligntune("train", *job_words)
    assert said.code == 0
    assert said.out == ""
    assert Path("out/model.txt").is_file()
    for text in (
        "backend toy: the job names it",
        "training data: rows.jsonl, 8 rows, read as alpaca",
        "2: the answer is empty",
        "note: precision is fp32.",
        "step 3/4  loss 1.333",
        "final loss 1",
        "the model is in out",
        "pipeline('text-generation', 'out')",
    ):
        assert text in said.err, text


def test_json_is_one_object_on_one_line(aligntune, job_words):
    said = aligntune("train", *job_words, "--json")
    assert said.out.count("\n") == 1
    assert list(said.json) == KEYS
    assert said.json == {
        "status": "ok", "algorithm": "sft", "backend": "toy", "steps": 4, "train_loss": 2.5, "output_dir": "out",
        "metrics": {"epoch": 1.0}, "reason": "the job names it", "rejected": {},
    }  # fmt: skip


def test_evaluation_data_is_scored_at_the_end(aligntune, job_words):
    Path("other.jsonl").write_bytes(Path("rows.jsonl").read_bytes())
    said = aligntune("train", *job_words, "eval_dataset_name=other.jsonl", "--json")
    assert said.json["metrics"] == {"epoch": 1.0, "eval_loss": 2.25}
    assert "evaluation at step 4: eval_loss 2.25" in said.err


def test_what_an_engine_prints_does_not_reach_standard_output(aligntune, job_words):
    said = aligntune("train", *job_words, "backend_args.act=print", "--json")
    assert said.out.count("\n") == 1
    assert said.json["status"] == "ok"
    assert "the engine prints" in said.err
    assert "compiled code prints" in said.err


def test_numbers_that_json_does_not_have_are_null(aligntune, job_words):
    said = aligntune("train", *job_words, "backend_args.act=nan", "--json")
    assert json.loads(said.out, parse_constant=pytest.fail)["metrics"] == {"epoch": None}


def test_a_refused_job_exits_with_2_before_anything_is_made(aligntune, job_words):
    said = aligntune("train", *job_words, "batch_size=0", "lr=3", "--json")
    assert said.code == 2
    assert list(said.json) == [*KEYS, "error", "problems"]
    assert said.json["status"] == "refused"
    assert {problem["key"] for problem in said.json["problems"]} == {"batch_size", "lr"}
    assert "The job can't run: 2 errors." in said.err
    assert "Did you mean 'learning_rate'?" in said.err
    assert "Traceback" not in said.err
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("act", "result", "kind", "told"),
    [
        ("data-error", (2, "refused"), "DataError", "error: no row is left to learn from.\n  Look at column_mapping."),
        ("late-refusal", (2, "refused"), "JobError", "the engine will not have it."),
        ("run-error", (1, "failed"), "RunError", "error: the loss is not a number.\n  Lower the learning_rate."),
        ("reward-error", (1, "failed"), "RewardError", "error: the function 'score' returned nan."),
        ("interrupt", (130, "failed"), "KeyboardInterrupt", "Interrupted after 2 steps; resume=true goes on"),
        ("exit", (1, "failed"), "RunError", "backend 'toy' tried to end the process while it trained: SystemExit: 3."),
    ],
)
def test_what_ends_a_run_is_told_shortly(aligntune, job_words, act, result, kind, told):  # noqa: PLR0917 a table
    said = aligntune("train", *job_words, f"backend_args.act={act}", "--json")
    assert (said.code, said.json["status"]) == result
    assert told in said.err
    assert said.json["error"]["type"] == kind
    assert list(said.json) == [*KEYS, "error", "problems"]
    assert "Traceback" not in said.err
    assert not Path("out/model.txt").exists()


def test_the_engine_s_own_words_come_with_an_error(aligntune, job_words):
    assert "caused by ValueError: inf in layer 3" in aligntune("train", *job_words, "backend_args.act=run-error").err


def test_an_engine_s_exception_is_a_failed_run_with_its_traceback(aligntune, job_words):
    said = aligntune("train", *job_words, "backend_args.act=crash", "--json")
    assert said.code == 1
    assert said.err.count("Traceback") == 1
    assert "ZeroDivisionError: the engine's own words" in said.err
    assert "╭" not in said.err
    assert said.json["error"] == {"type": "ZeroDivisionError", "message": "the engine's own words"}
    assert said.json["steps"] == 2


def test_an_interrupted_run_is_a_failed_one_in_json(aligntune, job_words):
    said = aligntune("train", *job_words, "backend_args.act=interrupt", "--json")
    assert said.json["error"] == {"type": "KeyboardInterrupt", "message": "interrupted after 2 steps"}


@pytest.mark.parametrize(("words", "saved"), [([], "weights"), (["--merge"], "merged")])
def test_adapters_are_merged_when_it_is_asked_for(aligntune, job_words, words, saved):
    assert aligntune("train", *job_words, *words).code == 0
    assert Path("out/model.txt").read_text(encoding="utf-8") == saved


def test_warnings_are_told_and_stop_nothing(aligntune, job_words):
    said = aligntune("train", *job_words, "backend_args.act=warn")
    assert said.code == 0
    assert "warning: the toy has doubts. Do not worry." in said.err


def test_the_first_row_is_shown_short_and_can_not_steer_the_terminal(aligntune, job_words):
    err = aligntune("train", *job_words).err
    assert "\x1b" not in err
    assert "user: Hi\\x1b[31m long long" in err
    assert max(map(len, err.splitlines())) < 300


def test_no_job_at_all_names_what_is_missing(aligntune):
    said = aligntune("train")
    assert said.code == 2
    for key in ("algorithm", "model_name", "dataset_name"):
        assert f"the job has no '{key}'." in said.err


@pytest.mark.parametrize("lost", ["C", "POSIX"])
def test_a_console_without_unicode_gets_plain_characters(process, job_words, lost):
    said = process("train", *job_words, LANG=lost, LC_ALL=lost, PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
    assert said.code == 0, said.err
    assert said.err.isascii()
    assert b"long lo..." in said.err


def test_a_reader_that_went_away_does_not_stop_a_run(job_words):
    toy = Path(__file__).parent / "toy.py"
    run = subprocess.Popen([sys.executable, str(toy), "train", *job_words], stderr=subprocess.PIPE)
    run.stderr.close()
    assert run.wait(timeout=60) == 0
    assert Path("out/model.txt").is_file()


def test_a_terminal_gets_a_bar_and_is_left_as_it_was(job_words):
    import pty

    toy = Path(__file__).parent / "toy.py"
    leader, follower = pty.openpty()
    environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"}
    run = subprocess.Popen([sys.executable, str(toy), "train", *job_words], stderr=follower, env=environ)
    os.close(follower)
    shown = b""
    try:
        while part := os.read(leader, 65536):
            shown += part
    except OSError:
        pass
    assert run.wait(timeout=60) == 0
    text = re.sub(r"\x1b\[[\d;]*m", "", shown.decode())
    assert "━" in text
    assert "4/4 loss 1" in text
    assert "steps/s" in text
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l")
