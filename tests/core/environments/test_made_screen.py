"""What is said of an environment that was made."""

from __future__ import annotations

from aligntune_core.cli.screens.environments import _say_made
from aligntune_core.environments.environment import Environment

FOUND = {"backends": {"trl": {"status": "ready", "version": "1.0.0"}}, "packages": {"torch": "2.13.0", "trl": "1.12.0"}}


def test_the_engine_that_was_asked_for_is_told_apart_from_its_backend(capsys):
    _say_made(Environment("older", "/e", "1", "/e/python", made=True, created="", found=FOUND), json=False)
    assert capsys.readouterr().out.splitlines() == [
        "The environment 'older' is ready, with trl 1.0.0.",
        "The engine's packages: torch 2.13.0, trl 1.12.0",
        "Its interpreter: /e/python",
    ]
