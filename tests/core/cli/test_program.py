"""What holds for all commands, and the small ones."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aligntune_core.cli.main import main
from aligntune_core.console.ink import Ink, printable
from aligntune_core.console.sparkline import sparkline
from aligntune_core.job import Job


def test_version(aligntune):
    said = aligntune("--version")
    assert said.code == 0
    assert re.fullmatch(r"aligntune \d+\.\d+\.\d+\S*\n", said.out)


def test_an_interpreter_that_is_named_runs_the_program():
    words = [sys.executable, "-m", "aligntune", "--version"]
    said = subprocess.run(words, capture_output=True, text=True, check=True)
    assert said.stdout.startswith("aligntune ")


def test_help_names_every_command(aligntune):
    said = aligntune("--help")
    assert said.code == 0
    for name in ("train", "check", "capabilities", "backends", "doctor", "schema", "plugin", "quickstart"):
        assert re.search(rf"^  {name} ", said.out, re.MULTILINE)
        assert aligntune(name, "--help").out.startswith(f"Usage: aligntune {name}")
    assert max(map(len, said.out.splitlines())) <= 80
    assert "..." not in said.out.partition("Commands:")[2]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["capabilites"], "Did you mean 'capabilities'?"),
        (["check", "--jsn"], "--json"),
        (["backends", "--jso"], "--json"),
    ],
)
def test_a_misspelt_command_or_option_is_a_usage_error(aligntune, words, told):
    said = aligntune(*words)
    assert said.code == 2
    assert told in said.err
    assert "Traceback" not in said.err


def test_the_schema_describes_every_key(aligntune):
    said = aligntune("schema")
    assert said.code == 0
    assert said.json["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert said.json["title"] == "AlignTune job"
    assert said.json["additionalProperties"] is False
    assert set(said.json["properties"]) == set(Job.model_fields)
    assert all(each["description"] for each in said.json["properties"].values())
    assert sorted(said.json["required"]) == ["algorithm", "dataset_name", "model_name"]
    choices = json.dumps(said.json["properties"]["precision"])
    assert "bf16" in choices


def test_an_interrupted_query_says_one_line(aligntune, monkeypatch):
    def interrupted(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr("aligntune_core.cli.screens.backends.show", interrupted)
    said = aligntune("backends")
    assert (said.code, said.err) == (130, "Interrupted.\n")


def test_an_exception_of_our_own_is_shown_plainly():
    code = (
        "import aligntune_core.cli.commands.check as check\n"
        "from aligntune_core.cli.main import main\n"
        "def show(words, **how):\n    secret = 'a local value'\n    raise ZeroDivisionError\n"
        "check.show = show\n"
        "main(['check'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback (most recent call last):")
    assert "a local value" not in done.stderr


def test_sparkline():
    assert sparkline([8, 6, 4, 2, 1]) == "█▆▄▂▁"
    assert sparkline([2, 1], symbols=False) == "@_"
    assert sparkline([3.0, 3.0]) == "▁▁"
    assert sparkline([]) == ""
    assert sparkline([1.0, float("nan"), 2.0]) == "▁!█"
    assert len(sparkline(list(range(1000)), width=40)) == 40


def test_printable_keeps_letters_of_every_script():
    assert printable("naïve 日本語\n") == "naïve 日本語\n"
    assert printable("a\tb\x07\r\u202e") == "a  b\\x07\\r\\u202e"


class Terminal:
    encoding = "utf-8"

    def __init__(self):
        self.text = ""

    def isatty(self):
        return True

    def fileno(self):
        raise OSError

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_colours_are_for_terminals_without_no_color(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    assert Ink(Terminal()).style("x", "red") == "\x1b[31mx\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert Ink(Terminal()).style("x", "red") == "x"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert Ink(Terminal()).style("x", "red") == "x"


def test_a_closed_stream_is_no_error():
    toy = Path(__file__).parent / "toy.py"
    command = f"{sys.executable} {toy} backends >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], check=False, timeout=60).returncode == 0


def test_a_labelled_text_fits_with_its_label(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("TERM", "xterm")
    plain = Ink(Terminal()).labelled("warning:", "one two three four five six seven eight")
    assert plain.splitlines()[0].startswith("warning: one two")
    assert max(map(len, plain.splitlines())) <= 30
    styled = Ink(Terminal()).labelled("warning:", "one two three four five six seven eight", "yellow")
    assert styled == plain.replace("warning:", "\x1b[33mwarning:\x1b[0m")


@pytest.mark.parametrize(
    ("words", "quick"),
    [
        (["backends"], True),
        (["capabilities", "--json"], True),
        (["check", "--fast", "algorithm=sft"], True),
        (["check", "algorithm=sft", "batch_size=0"], False),
        (["schema"], False),
    ],
)
def test_a_program_that_answers_at_once_ends_at_once(monkeypatch, words, quick):
    frozen = []
    monkeypatch.setattr("gc.freeze", lambda: frozen.append(words))
    monkeypatch.setattr("aligntune_core.machine.importing.gc.get_freeze_count", lambda: 1)
    monkeypatch.setattr("sys.argv", ["aligntune", *words])
    with pytest.raises(SystemExit):
        main()
    assert frozen == [words] * quick
    with pytest.raises(SystemExit):
        main(words)
    assert frozen == [words] * quick, "a process that goes on is left as it is"


def test_a_fast_check_looks_for_no_plugins_of_pydantic_and_leaves_that_as_it_was():
    code = (
        "import os, sys\n"
        "import aligntune_core.cli.main as program\n"
        "import aligntune_core.cli.screens.verdict as verdict\n"
        "def show(words, **rest):\n"
        "    print(os.environ.get('PYDANTIC_DISABLE_PLUGINS'))\n"
        "    return 0\n"
        "verdict.show = show\n"
        "try: program.main(['check', '--fast'])\n"
        "except SystemExit: print(os.environ.get('PYDANTIC_DISABLE_PLUGINS'))\n"
    )
    for given, said in ((None, "__all__\nNone\n"), ("mine", "mine\nmine\n")):
        environ = {**os.environ, **({"PYDANTIC_DISABLE_PLUGINS": given} if given else {})}
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ)
        assert told.stdout == said
