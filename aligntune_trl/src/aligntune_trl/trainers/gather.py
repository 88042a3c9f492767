"""Load what a trainer is made of, except the model's weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import DatasetKind
from aligntune_core.data.prepare import prepare_job
from aligntune_trl.models.ingredients import Ingredients
from aligntune_trl.models.loading import load_config, load_tokenizer, require_text
from aligntune_trl.models.quiet import quiet_engine
from aligntune_trl.models.written_out import starting_model
from aligntune_trl.translation.recipes import RECIPES

if TYPE_CHECKING:
    from aligntune_core import Job, Listener


def gather(job: Job, emit: Listener) -> Ingredients:
    """Load what a job names, but for weights; TRL is not imported.

    Args:
        job: A job that passed every check.
        emit: Where events go.

    Raises:
        DataError: If the dataset can't be used.
        ModelError: If the model's configuration or its tokenizer can't be loaded.
    """
    recipe = RECIPES[job.algorithm]
    train, evaluation = prepare_job(job, recipe.kind, emit)
    with quiet_engine():
        model = starting_model(job.model_name, emit)
        config = load_config(model, job.model_name, trust_remote_code=job.trust_remote_code)
        if not recipe.is_scorer:
            require_text(job.model_name, config)
        tokenizer = load_tokenizer(model, job, emit)
        rows, eval_rows = train.rows, evaluation.rows if evaluation else None
        if recipe.kind is DatasetKind.DEMONSTRATIONS:
            rows, eval_rows = _tokenized(rows, tokenizer), _tokenized(eval_rows, tokenizer) if evaluation else None
    return Ingredients(job, recipe, model, config, tokenizer, rows, eval_rows, emit)


def _tokenized(rows: Any, tokenizer: Any) -> Any:
    """Conversations with several answers as tokens, since TRL would train on all of their turns; other rows as is."""
    if "messages" not in rows.column_names:
        return rows
    from aligntune_trl.tokens.conversations import tokenize_conversation

    # `map` does not see that the function it calls was changed by an update, and would hand out what it kept
    return rows.map(
        lambda row: tokenize_conversation(row["messages"], tokenizer),
        remove_columns=rows.column_names,
        load_from_cache_file=False,
    )
