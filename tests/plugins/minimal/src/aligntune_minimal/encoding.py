"""From canonical rows to what the engine learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aligntune_core.kit.tokens.encoders import ENCODERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aligntune_core import DatasetKind


@dataclass(frozen=True, slots=True)
class Example:
    """A row as the engine takes it.

    Args:
        tokens: Its tokens.
        trained: Which of them are trained on.
        good: Whether they are to become likelier, not less likely.
    """

    tokens: tuple[int, ...]
    trained: tuple[bool, ...]
    good: bool = True


def encode(
    rows: Sequence[Mapping[str, Any]], kind: DatasetKind, tokenizer: Any, max_seq_length: int | None
) -> tuple[list[Example], int]:
    """Rows as examples, and how many rows were left out because nothing of their answers stayed when they were cut.

    Args:
        rows: Canonical rows of one dataset.
        kind: Their kind: each becomes one sequence.
        tokenizer: The model's tokenizer.
        max_seq_length: Tokens after which a row is cut off.
    """
    examples = [
        Example(
            tuple(sequence.ids[:max_seq_length]),
            tuple(map(bool, sequence.learned[:max_seq_length])),
            bool(row.get("label", True)),
        )
        for row, (sequence,) in zip(rows, ENCODERS[kind](tokenizer, rows), strict=True)
    ]
    # the first token is predicted from nothing, so it is never trained on
    kept = [example for example in examples if any(example.trained[1:])]
    return kept, len(examples) - len(kept)
