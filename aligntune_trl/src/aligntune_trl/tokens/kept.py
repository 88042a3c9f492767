"""The tokens of a dataset's rows, made in batches once and kept, for the check, for a launch and for the engine."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core import Encoded
from aligntune_core.data.row_code import row_code, versions
from aligntune_core.data.storage.keep import Batch, is_kept, keep, key_of
from aligntune_core.kit.tokens import encoders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from datasets import Dataset

    from aligntune_core.data.storage.keep import Kept
    from aligntune_core.kit.tokens.encoders import Encoder

UNLEARNED = -100
"""The label of a token that is not learned from, as PyTorch's cross entropy has it."""

_AT_ONCE = 256
"""Rows that are tokenised together: enough for a tokenizer's threads, and little to hold."""


@dataclass(frozen=True)
class RowEncoder:
    """Makes rows into tokens.

    Args:
        tokenizer: The tokenizer.
        encoder: What it makes of rows.
        is_single: Whether a row becomes one sequence: then the tokens are kept.
    """

    tokenizer: Any
    encoder: Encoder
    is_single: bool
    _made: dict[str, Kept] = field(default_factory=dict)

    def row(self, row: Mapping[str, Any]) -> Sequence[Encoded]:
        """One row's sequences."""
        return self.encoder(self.tokenizer, [row])[0]

    def rows(self, rows: Iterable[Mapping[str, Any]], most: int | None) -> Iterator[Sequence[Encoded]]:
        """The sequences of the first rows; of all rows where these are kept already or are no more than that.

        Args:
            rows: Canonical rows.
            most: How many are asked for; all if None.
        """
        if self.is_single and hasattr(rows, "_fingerprint"):
            dataset: Any = rows
            if most is None or len(dataset) <= most or is_kept(self._key(dataset)):
                return _encoded(self.kept(dataset))
        return (encoded for batch in _batches(rows, most) for encoded in self.encoder(self.tokenizer, batch))

    def kept(self, rows: Dataset) -> Kept:
        """The tokens of all rows of a dataset as columns ``input_ids`` and ``labels``.

        Args:
            rows: Canonical rows that become one sequence each.

        Raises:
            ModelError: If the chat template fails.
        """
        made = self._made.get(rows._fingerprint)  # noqa: SLF001 - what tells rows apart
        if made is None:
            made = self._made[rows._fingerprint] = keep(self._key(rows), lambda: self._batches(rows))  # noqa: SLF001
        return made

    def _batches(self, rows: Dataset) -> Iterator[Batch]:
        for batch in _batches(rows, None):
            sequences = [sequence for (sequence,) in self.encoder(self.tokenizer, batch)]
            columns = [{"input_ids": array("i", each.ids), "labels": _labels(each)} for each in sequences]
            yield Batch(columns, sides={"split": array("b", [each.prompt_differs for each in sequences])})

    @cached_property
    def _tokenizer_digest(self) -> str | None:
        # all of a large vocabulary is written out for it, so it is asked for once, and of rows on the disk alone
        return _digest(self.tokenizer)

    def _key(self, rows: Dataset) -> str | None:
        if not rows.cache_files or self._tokenizer_digest is None:
            return None
        code = [row_code(Path(file).parent) for file in (__file__, encoders.__file__)]
        libraries = versions("aligntune-trl", "transformers", "tokenizers", "jinja2")
        return key_of("tokens", rows._fingerprint, self.encoder.__name__, self._tokenizer_digest, code, libraries)  # noqa: SLF001


def _encoded(kept: Kept) -> Iterator[Sequence[Encoded]]:
    split = iter(kept.sides["split"])
    for batch in kept.rows.iter(_AT_ONCE):
        for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
            learned = [int(label != UNLEARNED) for label in labels]
            yield (Encoded(ids, learned, prompt_differs=bool(next(split))),)


def _labels(sequence: Encoded) -> array[int]:
    if all(sequence.learned):
        return array("i", sequence.ids)
    pairs = zip(sequence.ids, sequence.learned, strict=True)
    return array("i", [token if is_learned else UNLEARNED for token, is_learned in pairs])


def _batches(rows: Iterable[Mapping[str, Any]], most: int | None) -> Iterator[list[Mapping[str, Any]]]:
    if hasattr(rows, "iter"):
        dataset: Any = rows
        if most is not None and most < len(dataset):
            dataset = dataset.select(range(most))
        for columns in dataset.iter(_AT_ONCE):
            yield [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        return
    first = islice(rows, most)
    while batch := list(islice(first, _AT_ONCE)):
        yield batch


def _digest(tokenizer: Any) -> str | None:
    """All that a tokenizer's ids depend on; None for one that does not say it all.

    A tokenizer whose class comes with the model may do anything, and a template that writes the date writes another one
    tomorrow.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    template = tokenizer.chat_template
    if backend is None or not type(tokenizer).__module__.startswith("transformers.") or "strftime" in str(template):
        return None
    # before its added tokens stands how it cuts and pads, which each call sets anew
    said = blake2b(backend.to_str().partition('"added_tokens"')[2].encode("utf-8", "surrogatepass"), digest_size=16)
    flags = ("add_bos_token", "add_eos_token", "split_special_tokens")
    told = [getattr(tokenizer, flag, None) for flag in flags]
    said.update(repr((type(tokenizer).__name__, template, tokenizer.special_tokens_map, told)).encode())
    return said.hexdigest()
