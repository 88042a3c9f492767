"""How TRL turns the rows of a job into tokens, told without importing it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from aligntune_core import Encoding, JobError, ModelError
from aligntune_core.algorithms import DatasetKind
from aligntune_core.kit.loading import load_config, loading, require_text
from aligntune_core.kit.model_places import without_weights
from aligntune_core.kit.quiet import quiet_engine
from aligntune_core.kit.tokens.encoders import ENCODERS, encode_judged_pairs, encode_whole_demonstrations
from aligntune_core.kit.tokens.ids import ids_of
from aligntune_trl.models.adapter_layers import named_layer_problem
from aligntune_trl.models.ingredients import Ingredients
from aligntune_trl.models.tokenizer import as_engine_reads, load_tokenizer, template_model
from aligntune_trl.tokens.kept import RowEncoder
from aligntune_trl.translation.arguments import config_arguments, length_key, may_lack_rewards
from aligntune_trl.translation.fields import declared_fields
from aligntune_trl.translation.recipes import RECIPES

if TYPE_CHECKING:
    from aligntune_core import Job, Listener
    from aligntune_trl.translation.recipes import Recipe


_LEARNED_POSITIONS = frozenset({"biogpt", "ctrl", "gpt2", "gpt_bigcode", "gpt_neo", "openai-gpt", "opt"})
"""Kinds of model that look a token's place up in a table as long as their context."""


def encoding_of(job: Job, emit: Listener) -> Encoding | None:
    """How a job's rows become tokens; None for an algorithm that this backend does not train.

    Args:
        job: The job.
        emit: Where it is said what was decided about the tokenizer.

    Raises:
        JobError: If the model has no layer of a name that adapters are asked for.
        ModelError: If the model's configuration or its tokenizer can't be loaded.
    """
    recipe = RECIPES.get(job.algorithm or "")
    if recipe is None:
        return None
    with quiet_engine():
        place, where = without_weights(job.model_name)
        config = load_config(place, job.model_name, trust_remote_code=job.trust_remote_code, **where)
        if not recipe.is_scorer:
            require_text(job.model_name, config)
        tokenizer = load_tokenizer(place, job, emit, **where)
        made_of = Ingredients(job, recipe, place, config, tokenizer, None, None, emit)
        if problem := named_layer_problem(made_of):
            raise JobError([problem])
        if recipe.takes_reward_model and job.reward_model_name:
            _require_reward_tokenizer(job.reward_model_name, job)
    return make_encoding(job, recipe, config, row_encoder(job, recipe, tokenizer))


def _require_reward_tokenizer(name: str, job: Job) -> None:
    from transformers import AutoTokenizer

    place, where = without_weights(name)
    with loading(name, "tokenizer"):
        AutoTokenizer.from_pretrained(place, trust_remote_code=job.trust_remote_code, **where)


def make_encoding(job: Job, recipe: Recipe, config: Any, made: RowEncoder) -> Encoding:
    """The same of what was loaded already.

    Args:
        job: The job.
        recipe: How its algorithm is trained.
        config: The model's configuration.
        made: What makes rows into tokens.
    """
    tokenizer = made.tokenizer
    settings = {name: field.default for name, field in declared_fields(recipe.config).items()}
    settings.update(config_arguments(job, recipe))
    prompts = recipe.kind is DatasetKind.PROMPTS
    context = getattr(config.get_text_config(), "max_position_embeddings", None)
    limit = settings.get("max_prompt_length" if prompts else "max_length")
    if settings.get("packing") and settings["packing_strategy"] != "bfd":
        # longer rows go on in the next sequence, and none is longer than this
        context, limit = context if context and (limit or 0) > context else None, None
    return Encoding(
        encode=made.row,
        encode_rows=made.rows,
        decode=partial(tokenizer.decode, skip_special_tokens=False),
        limit=limit,
        limit_key="" if prompts else length_key(job),
        leaves_out=recipe.leaves_out,
        keeps_end=prompts or (settings.get("truncation_mode") == "keep_end" and not settings.get("packing")),
        context=int(context) if context else None,
        # where the engine sets no bound, an answer has at least one token
        max_completion_length=int(settings["max_completion_length"] or 1) if prompts else 0,
        needs_room=recipe.needs_room,
        ends_at_context=config.model_type in _LEARNED_POSITIONS,
        # with another model's tokens, the engine makes the embeddings as large as the vocabulary
        vocabulary=None if template_model(job) else getattr(config.get_text_config(), "vocab_size", None),
        end_ids=frozenset({tokenizer.eos_token_id}),
        pad_id=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id,
        # a classifier reads its score at the last token that is not padding
        pads_by_id=recipe.is_scorer,
        may_lack_rewards=may_lack_rewards(job),
        asks=_asks(tokenizer),
    )


def row_encoder(job: Job, recipe: Recipe, tokenizer: Any) -> RowEncoder:
    """What makes a job's rows into tokens.

    Args:
        job: The job.
        recipe: How its algorithm is trained.
        tokenizer: The model's tokenizer.

    Raises:
        JobError: If the model whose chat template is named has none.
        ModelError: If its tokenizer can't be loaded.
    """
    encoder = encode_judged_pairs if recipe.is_scorer else ENCODERS[recipe.kind]
    if recipe.kind is DatasetKind.DEMONSTRATIONS and config_arguments(job, recipe).get("completion_only_loss") is False:
        encoder = encode_whole_demonstrations
    return RowEncoder(as_engine_reads(tokenizer, job), encoder, is_single=recipe.is_single)


def _asks(tokenizer: Any) -> bool | None:
    if tokenizer.chat_template is None:
        return None
    turn = [{"role": "user", "content": "?"}]
    try:
        (plain,), (asking,) = (ids_of(tokenizer, [turn], asks=asks) for asks in (False, True))
    except ModelError:
        # it may want other turns than this one: the rows tell
        return None
    return len(asking) > len(plain)
