"""Load what a trainer is made of, except the model's weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aligntune_core.algorithms import DatasetKind
from aligntune_core.data.prepare import prepare_job
from aligntune_core.kit.loading import load_config, require_text
from aligntune_core.kit.quiet import quiet_engine
from aligntune_core.kit.starting_model import starting_model
from aligntune_trl.models.ingredients import Ingredients
from aligntune_trl.models.tokenizer import load_tokenizer
from aligntune_trl.translation.arguments import config_arguments
from aligntune_trl.translation.recipes import RECIPES

if TYPE_CHECKING:
    from aligntune_core import Job, Listener
    from aligntune_trl.tokens.kept import RowEncoder

_OWN_MASKS, _OWN_STEPS = "assistant_only_loss", "dataset_kwargs"
"""Settings of the engine's own way to tokens."""


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
    return Ingredients(job, recipe, model, config, tokenizer, train.rows, evaluation.rows if evaluation else None, emit)


def in_tokens(made_of: Ingredients, encoder: RowEncoder) -> Ingredients:
    """The same with rows as the engine takes them: demonstrations in tokens, so that it makes none a second time.

    Of conversations with several answers, an engine would train on all turns besides, unless it is told to mask them.

    Args:
        made_of: The job and what was loaded for it.
        encoder: What makes its rows into tokens.
    """
    job, recipe, rows, eval_rows = made_of.job, made_of.recipe, made_of.rows, made_of.eval_rows
    if recipe.kind is not DatasetKind.DEMONSTRATIONS:
        return made_of
    arguments = config_arguments(job, recipe)
    if arguments.get(_OWN_MASKS) or (arguments.get(_OWN_STEPS) and "messages" not in rows.column_names):
        return made_of
    return replace(
        made_of, rows=encoder.kept(rows).rows, eval_rows=encoder.kept(eval_rows).rows if eval_rows else eval_rows
    )
