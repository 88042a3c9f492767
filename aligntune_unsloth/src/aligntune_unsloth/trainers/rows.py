"""Rows to learn to write from, cut and masked, so that Unsloth has nothing left to decide about them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import DatasetKind
from aligntune_trl.tokens.kept import UNLEARNED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aligntune_trl.models.ingredients import Ingredients

_AT_ONCE = 256


def cut_and_masked(made_of: Ingredients, config: Any) -> Ingredients:
    """The same with demonstrations as Unsloth's trainer keeps them; rows of another kind as they are.

    It takes tokens with labels as they come, and longer rows are cut by the model, unsaid. Tokens with masks go TRL's
    own way.

    Args:
        made_of: The job and what was loaded for it, demonstrations in tokens.
        config: The trainer's configuration.
    """
    if made_of.recipe.kind is not DatasetKind.DEMONSTRATIONS:
        return made_of
    kept = slice(config.max_length)
    if config.max_length and config.truncation_mode == "keep_end":
        kept = slice(-config.max_length, None)
    evaluation = made_of.eval_rows
    rows = _masked(made_of.rows, kept)
    return replace(made_of, rows=rows, eval_rows=_masked(evaluation, kept) if evaluation else evaluation)


def _masked(rows: Any, kept: slice) -> Any:
    # `map` does not see that a function it calls was changed by an update, and would hand out what it kept
    settings = {"batched": True, "batch_size": _AT_ONCE, "load_from_cache_file": False}
    masked = rows.map(partial(_masks, kept=kept), remove_columns=rows.column_names, **settings)
    return masked.filter(_are_learned, **settings)


def _masks(batch: Mapping[str, Any], kept: slice) -> dict[str, Any]:
    return {
        "input_ids": [ids[kept] for ids in batch["input_ids"]],
        "assistant_masks": [[int(label != UNLEARNED) for label in labels[kept]] for labels in batch["labels"]],
    }


def _are_learned(batch: Mapping[str, Any]) -> list[bool]:
    return [any(mask) for mask in batch["assistant_masks"]]
