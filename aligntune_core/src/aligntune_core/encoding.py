"""How an engine turns rows into tokens: what a backend tells so that a job's data can be judged before training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Encoded:
    """One sequence of tokens that a row becomes, before anything is cut off.

    Args:
        ids: Its tokens.
        learned: 1 for each token that is learned from, else 0; all 0 for a prompt that is only answered.
        name: Which part of the row it is, where there are several: ``chosen``, ``rejected``.
        prompt_differs: Whether the prompt alone is tokenised otherwise than at the start of the whole.
    """

    ids: Sequence[int]
    learned: Sequence[int]
    name: str = ""
    prompt_differs: bool = False


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the rows of a job become tokens.

    Args:
        encode: From a canonical row to the sequences it becomes.
        decode: From tokens to text, special tokens written out.
        limit: Tokens after which a sequence is cut, None if it never is.
        limit_key: The job key that sets the limit, or ``backend_args.NAME``; empty where it is the engine's default.
        leaves_out: Whether a row that is longer than the limit is left out, and not cut.
        keeps_end: Whether what is cut is the start of a sequence.
        context: Tokens the model was made for; None where it does not say.
        max_completion_length: Tokens that the model may write after a prompt; 0 where rows have answers to learn from.
        needs_room: Whether a prompt that leaves less room in the context stops the run.
        ends_at_context: Whether a longer sequence than the context stops the run, and is not only guessed at.
        vocabulary: Tokens that the model knows; None where that is not known.
        end_ids: The tokens that end an answer.
        pad_id: The token that fills a batch up; None if there is none.
        pads_by_id: Whether the engine tells padding by that token, so that an end token of the same id is lost.
        may_lack_rewards: Whether reward functions may give none.
        asks: Whether the chat template writes anything to introduce an answer; None where there is no template.
        encode_rows: The same as ``encode`` for a dataset's rows one after another, for an engine that makes tokens of
            many at once or keeps them: called with the rows and how many of the first are asked for, None for all. It
            may give more, where it has them.
    """

    encode: Callable[[Mapping[str, Any]], Sequence[Encoded]]
    decode: Callable[[Sequence[int]], str]
    limit: int | None = None
    limit_key: str = ""
    leaves_out: bool = False
    keeps_end: bool = False
    context: int | None = None
    max_completion_length: int = 0
    needs_room: bool = False
    ends_at_context: bool = False
    vocabulary: int | None = None
    end_ids: frozenset[int] = frozenset()
    pad_id: int | None = None
    pads_by_id: bool = False
    may_lack_rewards: bool = False
    asks: bool | None = None
    encode_rows: Callable[[Iterable[Mapping[str, Any]], int | None], Iterable[Sequence[Encoded]]] | None = None

    @property
    def is_prompted(self) -> bool:
        """Whether rows are prompts that the model answers itself."""
        return self.max_completion_length > 0

    def cut(self, tokens: Sequence[int]) -> Sequence[int]:
        """What stays of a sequence, or of the marks on its tokens."""
        if self.limit is None or len(tokens) <= self.limit:
            return tokens
        return tokens[-self.limit :] if self.keeps_end else tokens[: self.limit]
