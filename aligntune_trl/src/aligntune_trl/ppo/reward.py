"""What a completion is worth: by reward functions or by a reward model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import torch

from aligntune_core.errors import ModelError, RewardError, RunError
from aligntune_core.rewards.function import free_name, name_of
from aligntune_core.rewards.guard import GuardedReward
from aligntune_core.rewards.texts import shortened
from aligntune_trl.ppo.decoder import forward_arguments, without_adapter_shell
from aligntune_trl.ppo.prompts import pad_token_id

if TYPE_CHECKING:
    from torch import Tensor

    from aligntune_trl.ppo.rollout import Completions

RewardFunction = Callable[..., Sequence[float]]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Scores:
    """Rewards of completions, in float32.

    Args:
        total: What is learned from, (batch,).
        parts: What each reward function said before weighting, by its name, each (batch,).
    """

    total: Tensor
    parts: Mapping[str, Tensor] = field(default_factory=dict)


class Reward(Protocol):
    """Whatever scores completions."""

    def __call__(self, rows: Sequence[Row], completions: Completions) -> Scores:
        """Score each completion.

        Args:
            rows: The dataset rows that the prompts came from.
            completions: One for each row.
        """


class FunctionReward:
    """The weighted sum of reward functions.

    A function is called as ``function(prompts=..., completions=..., **columns)`` with lists of one entry for each
    completion: the prompts as the dataset has them, the completions as texts, or as
    ``[{"role": "assistant", "content": text}]`` where the prompt is messages, and every other column of the dataset.
    It returns one finite number for each.

    Args:
        functions: The functions by name, or in a list, where they go by their own names.
        weights: One for each function; 1 each if None.
        tokenizer: The policy's.

    Raises:
        RewardError: If there is no function, or another number of weights.
    """

    def __init__(
        self,
        functions: Mapping[str, RewardFunction] | Sequence[RewardFunction],
        tokenizer: Any,
        weights: Sequence[float] | None = None,
    ) -> None:
        self.functions = _watched(functions)
        self.weights = [1.0] * len(self.functions) if weights is None else [float(weight) for weight in weights]
        self.tokenizer = tokenizer
        if not self.functions or len(self.weights) != len(self.functions):
            raise RewardError(
                f"There are {len(self.functions)} reward functions and {len(self.weights)} weights for them.",
                fix="Give at least one function, and one weight for each or none at all.",
            )

    def __call__(self, rows: Sequence[Row], completions: Completions) -> Scores:
        prompts = [row["prompt"] for row in rows]
        answers = [
            text if isinstance(prompt, str) else [{"role": "assistant", "content": text}]
            for prompt, text in zip(prompts, completions.texts(self.tokenizer), strict=True)
        ]
        columns = {name: [row[name] for row in rows] for name in rows[0] if name != "prompt"}
        parts = {
            name: torch.tensor(function(prompts, answers, **columns), dtype=torch.float32)
            for name, function in self.functions.items()
        }
        total = sum(weight * part for weight, part in zip(self.weights, parts.values(), strict=True))
        device = completions.sequences.device
        return Scores(total.to(device), {name: part.to(device) for name, part in parts.items()})


class ModelReward:
    """The score of a sequence classifier at the last token of prompt and completion.

    Where its tokenizer has the policy's vocabulary it reads the very ids that were sampled. Otherwise prompts and
    completions are made texts, messages by its own chat template, and read by its own tokenizer; a completion that
    ended gets its end token.

    Args:
        model: The classifier, of one label. It is put in evaluation mode and its weights are frozen.
        tokenizer: Its tokenizer; None if it has the policy's.
        policy_tokenizer: The policy's.
        batch_size: Completions in a forward pass.

    Raises:
        ModelError: If the model has more labels than one.
    """

    def __init__(self, model: Any, tokenizer: Any | None, policy_tokenizer: Any, batch_size: int) -> None:
        if model.config.num_labels != 1:
            raise ModelError(
                f"The reward model has {model.config.num_labels} labels, but a reward is one number.",
                fix="Use a sequence classifier with num_labels=1.",
            )
        self.model = model.requires_grad_(False).eval()
        self.policy_tokenizer = policy_tokenizer
        self.tokenizer = policy_tokenizer if tokenizer is None else tokenizer
        self.reads_ids = same_vocabulary(self.tokenizer, policy_tokenizer)
        self.batch_size = batch_size

    def __call__(self, rows: Sequence[Row], completions: Completions) -> Scores:
        if self.reads_ids:
            ids, mask = completions.sequences, completions.attention_mask
        else:
            ids, mask = self._read_again(rows, completions)
        self._require_room(ids.shape[1])
        with torch.no_grad():
            batches = zip(ids.split(self.batch_size), mask.split(self.batch_size), strict=True)
            total = torch.cat([score_sequences(self.model, *batch) for batch in batches])
        if not bool(total.isfinite().all()):
            worst = int((~total.isfinite()).nonzero()[0])
            raise RunError(
                f"The reward model scored {total[worst].item()} for the prompt {shortened(rows[worst]['prompt'])} and "
                f"the completion {shortened(completions.texts(self.policy_tokenizer)[worst])}.",
                fix="Check the reward model, and try it in fp32.",
            )
        return Scores(total)

    def _read_again(self, rows: Sequence[Row], completions: Completions) -> tuple[Tensor, Tensor]:
        ended = completions.ended.tolist()
        texts = completions.texts(self.policy_tokenizer)
        read = [self._encode(row["prompt"], text, end) for row, text, end in zip(rows, texts, ended, strict=True)]
        width, pad = max(map(len, read)), pad_token_id(self.tokenizer)
        ids = torch.tensor([row + [pad] * (width - len(row)) for row in read])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in read])
        return ids.to(completions.sequences.device), mask.to(completions.sequences.device)

    def _encode(self, prompt: Any, completion: str, ended: bool) -> list[int]:
        if isinstance(prompt, str):
            end = [self.tokenizer.eos_token_id] if ended and self.tokenizer.eos_token_id is not None else []
            return [*self.tokenizer(prompt + completion)["input_ids"], *end]
        if not self.tokenizer.chat_template:
            raise ModelError(
                "The prompts are messages, but the reward model's tokenizer has no chat template.",
                fix="Use a reward model for chats, set its tokenizer's chat_template, or give the prompts as texts.",
            )
        dialogue = [*prompt, {"role": "assistant", "content": completion}]
        text = self.tokenizer.apply_chat_template(dialogue, tokenize=False)
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _require_room(self, tokens: int) -> None:
        room = getattr(self.model.config, "max_position_embeddings", None)
        if room is not None and tokens > room:
            raise RunError(
                f"The reward model reads {room} tokens at most, and a prompt with its completion has {tokens}.",
                fix="Lower max_prompt_length or max_completion_length, or use another reward model.",
            )


def same_vocabulary(one: Any, other: Any) -> bool:
    """Whether two tokenizers mean the same texts by the same ids."""
    return one is other or one.get_vocab() == other.get_vocab()


def score_sequences(model: Any, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
    """A sequence classifier's score of each sequence, (batch,) in float32.

    A decoder with a ``score`` head is read at the last token that the mask marks; transformers would look for the
    padding token, which is often the end token too. Other classifiers are called as they are.

    Args:
        model: A sequence classifier of one label.
        input_ids: Sequences padded on either side, (batch, tokens).
        attention_mask: 1 on tokens and 0 on padding, (batch, tokens).
    """
    whole = without_adapter_shell(model)
    if not hasattr(whole, "score"):
        return model(input_ids=input_ids, attention_mask=attention_mask).logits.squeeze(-1).float()
    states = whole.base_model(input_ids=input_ids, **forward_arguments(whole.base_model, attention_mask))
    places = torch.arange(input_ids.shape[1], device=input_ids.device)
    last = (places * attention_mask).argmax(1)
    chosen = states.last_hidden_state[torch.arange(len(last), device=last.device), last]
    return whole.score(chosen).squeeze(-1).float()


def _watched(functions: Mapping[str, RewardFunction] | Sequence[RewardFunction]) -> dict[str, GuardedReward]:
    """The functions by name, with every return checked."""
    named: dict[str, RewardFunction] = {}
    if isinstance(functions, Mapping):
        named.update(functions)
    else:
        for function in functions:
            named[free_name(name_of(function), named)] = function
    return {
        name: function if isinstance(function, GuardedReward) else GuardedReward(function, name)
        for name, function in named.items()
    }
