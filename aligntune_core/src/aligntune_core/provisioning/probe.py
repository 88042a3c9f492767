"""Asking an interpreter what it is, which backends are in it, and which distributions."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core.backends.origins import is_ours
from aligntune_core.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aligntune_core.environments.environment import Environment

ANSWER_SECONDS = 120
OLDEST_PYTHON = (3, 11)


def ask(environment: Environment) -> dict[str, Any]:
    """What an environment's interpreter says of itself.

    Args:
        environment: The environment; what was recorded of it is not looked at.

    Raises:
        SetupError: If it can't be started, is too old, or has no core that can be imported.
    """
    name, python = environment.name, environment.python
    script = Path(__file__).with_name("probe_script.py").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="aligntune-") as folder:
        answer = Path(folder, "answer.json")
        try:
            told = subprocess.run(
                [python, "-c", script, str(answer)],
                cwd=folder,
                env=environment.environ(os.environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=ANSWER_SECONDS,
                check=False,
            )
        except OSError as error:
            reason = error.strerror or str(error)
            raise SetupError(f"the interpreter '{python}' of '{name}' can't be started: {reason}.") from error
        except subprocess.TimeoutExpired as error:
            raise SetupError(f"'{python}' of '{name}' did not answer within {ANSWER_SECONDS} seconds.") from error
        if not answer.exists():
            raise SetupError(f"'{python}' of '{name}' is no Python that works: {_last(told)}.")
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    version = tuple(int(each) for each in found["python"].split("."))
    if version < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        raise SetupError(f"'{python}' is Python {found['python']}; AlignTune needs {oldest} or newer.")
    if "fault" in found:
        raise SetupError(
            f"'{python}' can't import aligntune_core: {found['fault']}.",
            fix="Install aligntune-core into it, or name a folder that it is in with --path.",
        )
    return found


def summary(told: Mapping[str, Any]) -> dict[str, Any]:
    """What is recorded of an answer: all but the list of distributions, and of those where AlignTune's came from."""
    ours = {name: each for name, each in told["distributions"].items() if is_ours(name)}
    return {**{name: value for name, value in told.items() if name != "distributions"}, "ours": ours}


def lock_lines(told: Mapping[str, Any]) -> list[str]:
    """Every distribution with its version, or with the place it came from, as pip takes it.

    Args:
        told: An interpreter's answer.
    """
    return [_line(each) for _, each in sorted(told["distributions"].items())]


def _line(each: Mapping[str, Any]) -> str:
    direct = each.get("direct_url")
    if not direct:
        return f"{each['name']}=={each['version']}"
    if direct.get("dir_info", {}).get("editable"):
        return f"--editable {direct['url']}  # {each['name']}=={each['version']}"
    if "vcs_info" in direct:
        info = direct["vcs_info"]
        inside = f"#subdirectory={direct['subdirectory']}" if direct.get("subdirectory") else ""
        return f"{each['name']} @ {info.get('vcs', 'git')}+{direct['url']}@{info.get('commit_id', '')}{inside}"
    return f"{each['name']} @ {direct['url']}"


def _last(told: subprocess.CompletedProcess[str]) -> str:
    lines = (told.stderr or told.stdout).strip().splitlines()
    return lines[-1][:300].rstrip(".") if lines else f"it ended with exit code {told.returncode}"
