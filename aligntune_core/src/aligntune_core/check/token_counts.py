"""What is counted in rows as they become tokens, one after another, so that none has to be kept."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aligntune_core.encoding import Encoded, Encoding


@dataclass(slots=True)
class Counts:
    """What was counted so far.

    Args:
        sizes: How long each sequence is.
        prompts: How long each prompt is that the model answers itself, as it is cut.
        kept: For each row 1 if it has something to learn from or is a prompt, else 0.
        learned: Tokens that are learned from, of what is left of the rows that are kept.
        whole: The same before anything is cut off.
        tokens: Tokens in what is left of these rows.
        cut: How many of these rows are cut.
        unlearned: Rows with a sequence that nothing is learned from, cut or not.
        unknown: Rows with tokens that the model does not know.
        split: Rows whose prompt alone is tokenised otherwise.
        endless: Rows with an answer in which no end token is learned.
        empty: Prompts without a token.
    """

    sizes: array[int] = field(default_factory=lambda: array("Q"))
    prompts: array[int] = field(default_factory=lambda: array("Q"))
    kept: bytearray = field(default_factory=bytearray)
    learned: int = 0
    whole: int = 0
    tokens: int = 0
    cut: int = 0
    unlearned: int = 0
    unknown: int = 0
    split: int = 0
    endless: int = 0
    empty: int = 0

    def add(self, row: Sequence[Encoded], encoding: Encoding) -> bool:
        """Count one row.

        Args:
            row: Its sequences.
            encoding: How rows become tokens.

        Returns:
            Whether it is kept.
        """
        self.sizes.extend(len(sequence.ids) for sequence in row)
        if encoding.is_prompted:
            self.prompts.append(len(encoding.cut(row[0].ids)))
            self.empty += not row[0].ids
        learned = [sum(sequence.learned) for sequence in row]
        kept = _is_kept(row, learned, encoding)
        self.kept.append(kept)
        if kept:
            self._add_kept(row, learned, encoding)
        self.unlearned += not all(learned)
        self.split += any(sequence.prompt_differs for sequence in row)
        if encoding.vocabulary is not None:
            self.unknown += any(max(sequence.ids, default=0) >= encoding.vocabulary for sequence in row)
        if encoding.end_ids and all(learned):
            self.endless += any(not _ends(sequence, encoding) for sequence in row)
        return kept

    def _add_kept(self, row: Sequence[Encoded], learned: Sequence[int], encoding: Encoding) -> None:
        is_cut = False
        for sequence, count in zip(row, learned, strict=True):
            ids = encoding.cut(sequence.ids)
            if len(ids) < len(sequence.ids):
                is_cut = True
                self.learned += sum(encoding.cut(sequence.learned))
            else:
                self.learned += count
            self.whole += count
            self.tokens += len(ids)
        self.cut += is_cut


def _is_kept(row: Sequence[Encoded], learned: Sequence[int], encoding: Encoding) -> bool:
    """Whether a row has something left to learn from, or is only a prompt."""
    for sequence, count in zip(row, learned, strict=True):
        if encoding.leaves_out and encoding.limit is not None and len(sequence.ids) > encoding.limit:
            return False
        if not encoding.is_prompted and not (count and any(encoding.cut(sequence.learned))):
            return False
    return True


def _ends(sequence: Encoded, encoding: Encoding) -> bool:
    """Whether an end token is learned."""
    return any(end in sequence.ids for end in encoding.end_ids) and not encoding.end_ids.isdisjoint(
        compress(sequence.ids, sequence.learned)
    )
