"""Rows to learn to write from, as tokens and masks, so that Unsloth has nothing left to decide about them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import DatasetKind
from aligntune_trl.tokens.encoding import make_encoding

if TYPE_CHECKING:
    from aligntune_core import Encoding
    from aligntune_trl.models.ingredients import Ingredients


def as_tokens(made_of: Ingredients) -> Ingredients:
    """The same with demonstrations as tokens, cut as TRL cuts them; rows of another kind as they are.

    Unsloth's own way gives plain texts no end token and counts the prompt's tokens by itself.

    Args:
        made_of: The job and what was loaded for it.
    """
    if made_of.recipe.kind is not DatasetKind.DEMONSTRATIONS:
        return made_of
    encoding = make_encoding(made_of.job, made_of.recipe, made_of.config, made_of.tokenizer)
    evaluation = made_of.eval_rows
    return replace(
        made_of,
        rows=_tokenized(made_of.rows, encoding),
        eval_rows=None if evaluation is None else _tokenized(evaluation, encoding),
    )


def _tokenized(rows: Any, encoding: Encoding) -> Any:
    def tokens(row: dict[str, Any]) -> dict[str, list[int]]:
        (only,) = encoding.encode(row)
        cut = slice(None)
        if encoding.limit:
            cut = slice(-encoding.limit, None) if encoding.keeps_end else slice(encoding.limit)
        return {"input_ids": list(only.ids)[cut], "assistant_masks": list(only.learned)[cut]}

    # `map` does not see that a function it calls was changed by an update, and would hand out what it kept
    mapped = rows.map(tokens, remove_columns=rows.column_names, load_from_cache_file=False)
    return mapped.filter(lambda row: any(row["assistant_masks"]), load_from_cache_file=False)
