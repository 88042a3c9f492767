"""``aligntune check``."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BAD_JOB = """\
algorithm: sft
backend: toy
model_name: nowhere/at/all
dataset_name: rows.jsonl
lerning_rate: 1.0e-4
batch_size: 0
num_epochs: lots
seed: 1


packing: true
"""


def test_a_good_job_is_accepted_and_shown(aligntune, job_words):
    said = aligntune("check", *job_words, "batch_size=2")
    assert said.code == 0
    assert "The job can run on backend 'toy': the job names it." in said.out
    assert "batch_size    2\n" in said.out
    assert said.err == ""


def test_every_problem_is_told_at_once_with_its_line_and_fix(aligntune):
    Path("job.yaml").write_text(BAD_JOB, encoding="utf-8")
    said = aligntune("check", "job.yaml")
    assert said.code == 2
    lines = said.out.splitlines()
    assert lines[0] == "The job can't run: 5 errors."
    places = [text.split(": ")[0].strip() for text in lines if "job.yaml:" in text]
    assert places == [f"job.yaml:{line}" for line in (3, 5, 6, 7, 11)]
    misspelt = next(index for index, text in enumerate(lines) if "'lerning_rate'" in text)
    assert lines[misspelt + 1].strip() == "Did you mean 'learning_rate'?"


def test_json_has_its_keys_and_the_same_problems(aligntune):
    Path("job.yaml").write_text(BAD_JOB, encoding="utf-8")
    said = aligntune("check", "job.yaml", "--json")
    assert said.code == 2
    assert {"ok", "backend", "problems", "rejected", "job"} <= set(said.json)
    assert said.json["ok"] is False
    for problem in said.json["problems"]:
        assert {"code", "severity", "key", "message", "fix"} <= set(problem)
    assert {problem["key"] for problem in said.json["problems"]} == {
        "lerning_rate", "batch_size", "num_epochs", "model_name", "packing",
    }  # fmt: skip
    assert said.json["job"]["backend"] == "toy"


def test_warnings_come_after_errors_and_alone_stop_nothing(aligntune, job_words):
    said = aligntune("check", *job_words, "backend_args.act=warn")
    assert said.code == 0
    assert said.out.index("can run") < said.out.index("warnings") < said.out.index("the toy has doubts.")
    said = aligntune("check", *job_words, "backend_args.act=warn", "batch_size=-1")
    assert said.code == 2
    assert "1 error, 1 warning" in said.out
    assert said.out.index("batch_size") < said.out.index("the toy has doubts.")


def test_a_word_on_the_command_line_wins_over_the_file_and_takes_its_line(aligntune):
    Path("job.yaml").write_text("algorithm: sft\nbatch_size: 0\n", encoding="utf-8")
    said = aligntune("check", "job.yaml", "batch_size=-3", "--json")
    (found,) = [problem for problem in said.json["problems"] if problem["key"] == "batch_size"]
    assert "-3" in found["message"]
    assert found["where"] == ""


def test_nested_words_reach_into_backend_args(aligntune, job_words):
    said = aligntune("check", *job_words, "backend_args.max_length=64", "--json")
    assert said.json["job"]["backend_args"] == {"max_length": 64}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"algorithm: sft\nmodel_name: [\n", "job.yaml:3: this is not YAML"),
        (b"algorithm: sft\nmodel_name: caf\xe9\n", "job.yaml:2: the file is not UTF-8 text."),
        (b"- a\n- b\n", "a list"),
        (b"algorithm: sft\nalgorithm: dpo\n", "job.yaml:2: 'algorithm' stands here a second time"),
    ],
)
@pytest.mark.parametrize("command", ["check", "train"])
def test_a_job_file_that_is_none_is_refused(aligntune, content, told, command):
    Path("job.yaml").write_bytes(content)
    said = aligntune(command, "job.yaml")
    assert said.code == 2
    assert told in said.out + said.err
    assert "Traceback" not in said.err
    said = aligntune(command, "job.yaml", "--json")
    assert said.code == 2
    assert [problem["code"] for problem in said.json["problems"]] == ["job-file"]


def test_a_word_that_is_no_key_and_value_is_refused(aligntune, job_words):
    said = aligntune("check", *job_words, "fast")
    assert said.code == 2
    assert "'fast' is not of the form key=value." in said.out


def test_a_job_file_that_is_not_there_is_said(aligntune):
    said = aligntune("check", "gone.yaml")
    assert said.code == 2
    assert "there is no job file 'gone.yaml'." in said.out


def test_a_job_file_may_have_an_equals_sign_in_its_path(aligntune):
    Path("lr=3.yaml").write_text("algorithm: sft\n", encoding="utf-8")
    assert aligntune("check", "lr=3.yaml", "--json").json["job"]["algorithm"] == "sft"


def test_control_characters_of_a_job_do_not_reach_the_terminal(aligntune):
    said = aligntune("check", "mod\x1b[31mel=x")
    assert "\x1b" not in said.out
    assert "mod\\x1b[31mel" in said.out


def test_text_is_wrapped_where_columns_are_told(aligntune, monkeypatch):
    Path("job.yaml").write_text(BAD_JOB, encoding="utf-8")
    plain = aligntune("check", "job.yaml").out.splitlines()
    monkeypatch.setenv("COLUMNS", "50")
    lines = aligntune("check", "job.yaml").out.splitlines()
    assert max(map(len, lines)) <= 50
    assert len(lines) > len(plain)


def test_the_fast_check_does_without_the_command_line_s_library():
    code = (
        "import sys\n"
        "from aligntune_core.cli.main import main\n"
        "try:\n    main(['check', '--fast', 'algorithm=sft', 'backend=nope', '--json'])\n"
        "except SystemExit as end:\n    assert end.code == 2\n"
        "print('typer' in sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "False"
    assert json.loads(done.stdout)["ok"] is False


@pytest.mark.parametrize("words", [["--fast", "--nope"], ["--fast", "--probe"], ["--fast", "-h"]])
def test_flags_that_the_fast_check_does_not_know_are_the_library_s(words):
    code = f"from aligntune_core.cli.main import main; main(['check', *{words}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "Usage: aligntune check" in done.stdout + done.stderr
