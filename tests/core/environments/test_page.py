"""The page on environments says what is so."""

from __future__ import annotations

import ast
import re
import typing
from pathlib import Path

from aligntune_core.cli.commands import env

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/environments.md").read_text(encoding="utf-8")


def test_every_finding_of_a_check_is_on_the_page():
    source = ROOT / "aligntune_core/src/aligntune_core/provisioning/examine.py"
    calls = [node for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    codes = {ast.literal_eval(call.args[0]) for call in calls if ast.unparse(call.func) == "Difference"}
    assert len(codes) > 5
    assert set(re.findall(r"^\| `([a-z][a-z-]+)` \|", PAGE, re.MULTILINE)) == codes


def test_every_option_of_create_is_on_the_page():
    hints = typing.get_type_hints(env.create, vars(env), include_extras=True).values()
    infos = [each for hint in hints for each in getattr(hint, "__metadata__", ())]
    # what is meant for a default is the first name, in an annotation
    names = {name for each in infos for name in (each.default, *(each.param_decls or ())) if str(name).startswith("--")}
    assert "--from" in names
    assert names - {"--json"} == set(re.findall(r"^\| `(--[a-z-]+)", PAGE, re.MULTILINE))
