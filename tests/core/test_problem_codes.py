"""Every code that the code gives is in the table, every entry of the table is given, and the page says the same."""

import ast
import inspect
from pathlib import Path

import pytest

from aligntune_core import errors
from aligntune_core.check.schedule import _INTERVALS
from aligntune_core.problem_codes import CODES, LAUNCH, ProblemCode, markdown_lines

ROOT = Path(__file__).parents[2]
SOURCES = [ROOT / "aligntune_core/src", ROOT / "aligntune_trl/src", ROOT / "aligntune_unsloth/src"]
GIVERS = {"Problem", "_warning"}


def trl_codes():
    return pytest.importorskip("aligntune_trl.problem_codes", reason="the TRL backend is not installed").CODES


def given(folder):
    """The codes that the sources of a folder write down."""
    for file in folder.rglob("*.py"):
        if "doctor" in file.parts:  # its findings have a table of their own
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            values = [word.value for word in node.keywords if word.arg == "code"]
            if name in GIVERS and node.args:
                values.append(node.args[0])
            written = [each for value in values for each in getattr(value, "values", [value])]
            yield from (each.value for each in written if isinstance(each, ast.Constant) and each.value)


def error_codes():
    return {kind.code for _, kind in inspect.getmembers(errors, inspect.isclass) if hasattr(kind, "code")}


def test_every_code_is_in_a_table():
    known = {**CODES, **trl_codes()}
    for folder in SOURCES:
        assert set(given(folder)) <= set(known), folder
    assert {code for code, _ in _INTERVALS.values()} <= set(CODES)
    # the two that carry others
    assert error_codes() - {"aligntune", "job"} <= set(CODES)


def test_no_code_is_in_a_table_for_nothing():
    written = {code for folder in SOURCES for code in given(folder)} | {code for code, _ in _INTERVALS.values()}
    assert set(CODES) - written - error_codes() == set()
    assert set(trl_codes()) - written == set()
    assert not set(CODES) & set(trl_codes())


def test_the_page_says_what_the_table_says():
    page = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
    for title, codes in (("core", CODES), ("trl", trl_codes())):
        table = page.partition(f"<!-- codes {title} -->\n")[2].partition("<!-- /codes -->")[0]
        assert table.strip() == "\n".join(markdown_lines(codes)), f"write docs/check.md anew for {title}"


def test_every_code_says_what_tells_it_at_a_launch():
    page = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
    for word, meaning in LAUNCH.items():
        assert f"`{word}`, {meaning}" in page
    # only steps that a launch takes itself are tried by a check alone
    assert {code for code, each in CODES.items() if each.launch == "check"} == {"trial-failed", "trial-warning"}


def test_a_code_that_nothing_says_at_a_launch_is_refused():
    with pytest.raises(ValueError, match="nowhere"):
        ProblemCode("error", "data", "It is wrong", "Mend it.", "nowhere")
