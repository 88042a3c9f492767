"""``aligntune capabilities`` and ``aligntune backends``."""

import subprocess
import sys

import pytest

from aligntune_core import BackendInfo, Capability, hookimpl
from aligntune_core.algorithms import ALGORITHMS
from aligntune_core.backends import registry as plugins
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
    assert list(said.json["backends"]["toy"]) == [
        "status",
        "version",
        "reason",
        "install",
        "notes",
        "environment",
        "standing",
    ]
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


@pytest.fixture
def cells(aligntune):
    """The cells that are left of the matrix, as programs read it."""

    def make(*words):
        rows = aligntune("capabilities", *words, "--json").json["capabilities"]
        return [(row["backend"], row["algorithm"]) for row in rows]

    return make


@pytest.mark.usefixtures("only_toy", "bolt")
def test_cells_are_chosen_by_what_they_declare(cells):
    assert cells("--task", "preference") == [("bolt", "dpo"), ("bolt", "kto"), ("toy", "dpo"), ("toy", "kto")]
    assert cells("--device", "cpu", "--task=sft") == [("toy", "sft")]
    assert cells("--feature", "lora") == [("bolt", "dpo")]
    assert cells("--feature", "evaluation", "--feature=full") == [("toy", "sft"), ("toy", "dpo")]
    assert cells("--feature", "full,evaluation") == [("toy", "sft"), ("toy", "dpo")]
    assert cells("--feature", "full,lora") == cells("--feature=full", "--feature=lora") == []
    assert cells("--algorithm", "dpo") == [("bolt", "dpo"), ("toy", "dpo")]
    assert cells("--algorithm", "dpo", "--usable") == [("toy", "dpo")]


@pytest.mark.usefixtures("only_toy", "bolt")
def test_the_tables_show_the_same_cells(aligntune):
    said = aligntune("capabilities", "--device", "cuda").out.splitlines()
    assert said[0].split() == ["algorithm", "task", "bolt", "toy"]
    assert said[1].split() == ["sft", "sft", "-", "full"]
    assert said[2].split() == ["dpo", "preference", "full", "experimental", "[1]"]
    assert "-   does not match" in said
    assert "-   not supported" not in said
    assert "  bolt dpo: cpu, cuda, lora" in said
    said = aligntune("capabilities", "--device", "cuda", "--markdown").out.splitlines()
    assert said[0] == "| Algorithm | | bolt | toy |"
    assert said[2:4] == [
        "| `sft` | Supervised fine-tuning | - | full |",
        "| `dpo` | Direct preference optimization | full | experimental (1) |",
    ]


@pytest.mark.usefixtures("only_toy", "bolt")
def test_where_nothing_matches_it_is_said(aligntune):
    words = ("--feature", "lora", "--usable")
    said = aligntune("capabilities", *words)
    assert said.code == 0
    assert said.out.startswith("No backend that is installed and can be used here declares that.\n\nbackend ")
    assert "it needs no-such-engine-0" in said.out
    assert aligntune("capabilities", "--feature", "packing", "--markdown").out == (
        "No backend that is installed declares that.\n"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--backend", "toi"), "error: there is no backend 'toi'.\n  Did you mean 'toy'?\n"),
        (("--algorithm", "gropo"), "error: there is no algorithm 'gropo'.\n  Did you mean 'grpo'?\n"),
        (("--device", "gpu"), "error: there is no device 'gpu'.\n  Known: cpu, cuda.\n"),
        (("--task", "prefrence"), "error: there is no task 'prefrence'.\n  Did you mean 'preference'?\n"),
        (("--feature", "lora,loar"), "error: there is no feature 'loar'.\n  Did you mean 'lora'?\n"),
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
    assert all(
        list(each) == ["status", "version", "reason", "install", "notes", "environment", "standing"]
        for each in found.values()
    )
    assert {question: told["yes"] for question, told in found["toy"]["standing"].items()} == {
        "installed": True,
        "plugin": True,
        "engine": True,
        "device": True,
    }


@pytest.fixture
def bolt(toy):
    """A further backend, which lacks the packages of its engine."""
    info = BackendInfo(
        "bolt",
        "A backend whose summary is one line of some length, for the width of it",
        1,
        (Capability("dpo", features=["cpu", "cuda", "lora"]), Capability("sft", "unsupported", note="it never will")),
        requirements=tuple(f"no-such-engine-{number}>=2,<3" for number in range(4)),
    )

    class Bolt(toy.ToyBackend):
        @hookimpl
        def aligntune_backend_info(self):
            return info

    plugins.registry().register("bolt", Bolt())


@pytest.mark.usefixtures("only_toy", "bolt")
def test_backends_say_what_each_needs_and_whether_it_is_there(aligntune):
    lines = aligntune("backends").out.splitlines()
    start = next(number for number, line in enumerate(lines) if line.split() == ["toy", "ready"])
    assert lines[start + 2 : start + 6] == [
        "    installed  yes  this process",
        "    plugin     yes  it keeps the contract",
        "    engine     yes  it needs no package",
        "    device     yes  it trains on a CPU and on a CUDA GPU",
    ]
    assert any(line.startswith("    engine     no   it needs no-such-engine-0>=2,<3 (no-such") for line in lines)
    assert "    plugin     -    not imported: ALIGNTUNE_ONLY_BACKENDS does not name it" in lines


@pytest.mark.usefixtures("only_toy", "bolt")
@pytest.mark.parametrize("columns", [80, 50])
@pytest.mark.parametrize("command", ["backends", "capabilities"])
def test_what_each_needs_fits_the_columns(aligntune, monkeypatch, command, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = aligntune(command).out.splitlines()
    # a command is one line, however long, so that it can be copied
    assert max(len(line) for line in lines if not line.startswith("    install: ")) <= columns
    number = next(number for number, line in enumerate(lines) if "it needs" in line)
    # what goes on in the next line stands under the reason
    under = lines[number].index("it needs")
    assert len(lines[number + 1]) - len(lines[number + 1].lstrip()) == under


@pytest.mark.usefixtures("bolt")
def test_the_table_below_the_matrix_says_only_what_is_wrong(aligntune):
    out = aligntune("capabilities").out
    assert "    it needs no-such-engine-0>=2,<3" in out
    assert "it keeps the contract" not in out


@pytest.mark.usefixtures("bolt")
@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--json"],
        ["--markdown"],
        ["--backend", "toy"],
        ["--algorithm=sft", "--json"],
        ["--usable", "--task", "preference", "--device=cpu"],
        ["--feature", "cpu", "--feature=evaluation", "--markdown"],
        ["--feature", "cpu,lora"],
        ["--backend", "trl", "--backend", "toy"],
        ["--device", "gpu"],
    ],
)
def test_the_quick_way_says_what_the_full_one_says(aligntune, monkeypatch, name, words):
    quick = aligntune(name, *words)
    monkeypatch.setattr("aligntune_core.cli.main.quick_values", lambda *_: None)
    assert aligntune(name, *words) == quick


def test_whatever_is_unusual_is_left_to_the_full_parser():
    options, flags = ("backend",), ("json",)
    assert quick_values(["--json", "--backend=a"], options, flags) == {"json": True, "backend": "a"}
    assert quick_values(["--feature", "a", "--feature=b"], ("feature",), ()) == {"feature": "a,b"}
    twice = ["--backend=a", "--backend=b"]
    for words in (["--help"], ["-h"], ["json"], ["--json=1"], ["--backend"], ["--backend", "--json"], ["--jsn"], twice):
        assert quick_values(words, options, flags) is None, words


@pytest.mark.parametrize(
    "words", [["capabilities"], ["capabilities", "--usable", "--feature=lora", "--device", "cpu"], ["backends"]]
)
def test_a_query_imports_nothing_heavy(words):
    code = (
        "import sys\n"
        "from aligntune_core.cli.main import main\n"
        f"try: main({words})\n"
        "except SystemExit: pass\n"
        "heavy = {'typer', 'rich', 'click', 'pydantic', 'yaml', 'torch', 'transformers', 'trl', 'datasets'}\n"
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
