"""``aligntune capabilities`` and ``aligntune backends``."""

import subprocess
import sys

import pytest

from aligntune_core import plugins
from aligntune_core.algorithms import ALGORITHMS
from aligntune_core.cli.main import QUICK, quick_values

NAMES = [algorithm.name for algorithm in ALGORITHMS]


@pytest.fixture
def only_toy(monkeypatch, toy):
    monkeypatch.setenv("ALIGNTUNE_ONLY_BACKENDS", "toy")
    plugins.registry.cache_clear()
    plugins.registry().register("toy", toy.ToyBackend())


@pytest.mark.usefixtures("only_toy")
def test_the_matrix_has_every_algorithm_and_notes_below(aligntune):
    said = aligntune("capabilities")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].split() == ["algorithm", "task", "toy"]
    assert [line.split()[0] for line in lines[1 : len(NAMES) + 1]] == NAMES
    assert lines[1].split()[2:] == ["full"]
    assert lines[2].split()[2:] == ["experimental", "[1]"]
    assert lines[3].split()[2:] == ["-"]
    assert "[1] toy: it was tried | once" in lines
    assert any(line.split()[:2] == ["toy", "ready"] for line in lines)
    assert any(line.split()[:2] == ["trl", "disabled"] for line in lines)


@pytest.mark.usefixtures("only_toy")
def test_json_has_the_backends_and_the_rows(aligntune):
    said = aligntune("capabilities", "--json")
    assert list(said.json) == ["backends", "capabilities"]
    assert list(said.json["backends"]["toy"]) == ["status", "version", "reason", "install", "standing"]
    assert said.json["backends"]["toy"]["status"] == "ready"
    row = said.json["capabilities"][0]
    assert list(row) == ["backend", "algorithm", "task", "support", "features", "note"]
    assert (row["backend"], row["algorithm"], row["support"]) == ("toy", "sft", "full")
    assert [row["algorithm"] for row in said.json["capabilities"]] == NAMES


def test_filters(aligntune):
    said = aligntune("capabilities", "--backend", "TOY", "--algorithm=DPO", "--json")
    assert [(row["backend"], row["algorithm"]) for row in said.json["capabilities"]] == [("toy", "dpo")]
    assert list(said.json["backends"]) == ["toy"]
    said = aligntune("capabilities", "--backend", "toy", "--algorithm", "sft")
    assert "toy sft: cpu, cuda, evaluation, full" in said.out
    assert "unsloth" not in said.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--backend", "toi"), "error: there is no backend 'toi'.\n  Did you mean 'toy'?\n"),
        (("--algorithm", "gropo"), "error: there is no algorithm 'gropo'.\n  Did you mean 'grpo'?\n"),
    ],
)
def test_an_unknown_name_is_refused_with_a_suggestion(aligntune, words, told):
    said = aligntune("capabilities", *words)
    assert (said.code, said.out, said.err) == (2, "", told)


@pytest.mark.usefixtures("only_toy")
def test_markdown_is_what_is_declared_and_nothing_of_this_machine(aligntune):
    said = aligntune("capabilities", "--markdown")
    lines = said.out.splitlines()
    assert lines[0] == "| Algorithm | | toy |"
    assert lines[2] == "| `sft` | Supervised fine-tuning | full |"
    assert lines[3] == "| `dpo` | Direct preference optimization | experimental (1) |"
    assert lines[-1] == "1. toy: it was tried | once."
    assert "ready" not in said.out


@pytest.mark.parametrize("columns", [80, 40])
def test_the_matrix_fits_the_columns(aligntune, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    out = aligntune("capabilities").out
    table = [line for line in out.splitlines() if line.startswith(("algorithm", *NAMES))]
    assert max(map(len, table)) <= columns
    for backend in ("toy", "trl", "unsloth"):
        assert any(backend in line.split() for line in table if line.startswith("algorithm"))


def test_backends_say_why_they_can_not_be_used(aligntune, monkeypatch, toy):
    monkeypatch.setenv("ALIGNTUNE_DISABLED_BACKENDS", "trl")
    plugins.registry.cache_clear()
    plugins.registry().register("toy", toy.ToyBackend())
    said = aligntune("backends")
    assert said.code == 0
    assert any(line.split() == ["toy", "ready"] for line in said.out.splitlines())
    assert "ALIGNTUNE_DISABLED_BACKENDS names it" in said.out
    found = aligntune("backends", "--json").json
    assert found["trl"]["status"] == "disabled"
    assert all(list(each) == ["status", "version", "reason", "install", "standing"] for each in found.values())


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("words", [[], ["--json"], ["--markdown"], ["--backend", "toy"], ["--algorithm=sft", "--json"]])
def test_the_quick_way_says_what_the_full_one_says(aligntune, monkeypatch, name, words):
    quick = aligntune(name, *words)
    monkeypatch.setattr("aligntune_core.cli.main.quick_values", lambda *_: None)
    assert aligntune(name, *words) == quick


def test_whatever_is_unusual_is_left_to_the_full_parser():
    options, flags = ("backend",), ("json",)
    assert quick_values(["--json", "--backend=a"], options, flags) == {"json": True, "backend": "a"}
    for words in (["--help"], ["-h"], ["json"], ["--json=1"], ["--backend"], ["--backend", "--json"], ["--jsn"]):
        assert quick_values(words, options, flags) is None, words


def test_a_query_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from aligntune_core.cli.main import main\n"
        "try: main(['capabilities'])\n"
        "except SystemExit: pass\n"
        "heavy = {'typer', 'rich', 'click', 'pydantic', 'yaml', 'json', 'torch', 'transformers', 'trl', 'datasets'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_closed_pipe_is_no_error(process):
    import os

    reader, writer = os.pipe()
    os.close(reader)
    said = process("capabilities", stdout=writer)
    os.close(writer)
    assert said.err == b""
    assert said.code == 1
