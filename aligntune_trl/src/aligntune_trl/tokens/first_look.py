"""What a check would say of a job's rows, said when the job is launched without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core import DataError, Notice, Severity
from aligntune_core.check.tokens import examine_rows
from aligntune_trl.tokens.encoding import make_encoding

if TYPE_CHECKING:
    from aligntune_trl.models.ingredients import Ingredients

_FEW = 20
"""Rows that tell of a template or a tokenizer. What rows lose to a limit is told of all of them, once TRL cut them."""
_COUNTED = frozenset({"rows-cut", "rows-left-out", "beyond-context"})


def look_at_rows(made_of: Ingredients) -> None:
    """Say what is wrong with the rows, of prompts all and of others the first few.

    Args:
        made_of: The job and what was loaded for it.

    Raises:
        DataError: If prompts fill the model's context, or nothing is left to learn from.
    """
    encoding = make_encoding(made_of.job, made_of.recipe, made_of.config, made_of.tokenizer)
    rows = made_of.rows
    tokens = examine_rows(rows, encoding, most=len(rows) if encoding.is_prompted else _FEW)
    if any(problem.severity is Severity.ERROR for problem in tokens.problems):
        # what holds for the first few need not hold for all
        tokens = examine_rows(rows, encoding, most=len(rows))
    for problem in tokens.problems:
        stops = problem.severity is Severity.ERROR
        if problem.code in _COUNTED and not (stops and (encoding.is_prompted or problem.code == "beyond-context")):
            continue
        if stops:
            raise DataError(problem.message, fix=problem.fix)
        made_of.emit(Notice(str(problem), warning=True, code=problem.code, key=problem.key))
