"""What a check would say of a job's rows, said when the job is launched without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core import DataError, Notice, Severity
from aligntune_core.check.tokens import MOST_ROWS, examine_evaluation, examine_rows
from aligntune_trl.tokens.encoding import make_encoding

if TYPE_CHECKING:
    from aligntune_trl.models.ingredients import Ingredients
    from aligntune_trl.tokens.kept import RowEncoder


def look_at_rows(made_of: Ingredients, encoder: RowEncoder) -> None:
    """Say what is wrong with the rows: with all, or of pairs and labelled answers as many as a check looks at.

    Training rows that are left out are counted by the trainer, which leaves them out, and not here.

    Args:
        made_of: The job and what was loaded for it.
        encoder: What makes its rows into tokens.

    Raises:
        DataError: If prompts fill the model's context, or nothing is left to learn from.
    """
    recipe, rows, eval_rows = made_of.recipe, made_of.rows, made_of.eval_rows
    encoding = make_encoding(made_of.job, recipe, made_of.config, encoder)
    most = None if recipe.is_single else MOST_ROWS
    tokens = examine_rows(rows, encoding, most=most)
    if tokens.lengths.more and any(problem.severity is Severity.ERROR for problem in tokens.problems):
        # what holds for the first need not hold for all
        tokens = examine_rows(rows, encoding, most=None)
    evaluated = examine_evaluation(eval_rows, encoding, most=most) if eval_rows else ()
    told = [problem for problem in tokens.problems if problem.code != "rows-left-out"]
    for problem in (*told, *evaluated):
        if problem.severity is Severity.ERROR:
            raise DataError(problem.message, fix=problem.fix, code=problem.code)
        made_of.emit(Notice.of(problem))
