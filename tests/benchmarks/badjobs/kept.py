"""Answers in a file, so that a table can be made in parts."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from badjobs.row import Stage
from badjobs.sides import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from badjobs.page import Answers


def read_answers(file: Path) -> dict[str, Answers]:
    """The answers that are kept, by the rows' names; none if there is no such file."""
    if not file.is_file():
        return {}
    kept = json.loads(file.read_bytes())
    return {name: (_read(ours), _read(theirs)) for name, (ours, theirs) in kept.items()}


def keep_answers(answers: Mapping[str, Answers], file: Path) -> None:
    """Write answers where ``read_answers`` finds them."""
    kept = {name: [answer and asdict(answer) for answer in pair] for name, pair in answers.items()}
    file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _read(kept: dict[str, Any] | None) -> Answer | None:
    if kept is None:
        return None
    stage = Stage(kept["stage"]) if kept["stage"] else None
    return Answer(**{**kept, "stage": stage, "codes": tuple(kept["codes"])})
