"""Sampling completions, and what the models say about them before anything is learned from them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from transformers import GenerationConfig

from aligntune_core.errors import ModelError
from aligntune_trl.ppo.actor_critic import score_tokens
from aligntune_trl.ppo.decoder import without_adapter_shell
from aligntune_trl.ppo.prompts import PromptTokens, pad_token_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from aligntune_trl.ppo.actor_critic import ActorCritic


@dataclass(frozen=True)
class Completions:
    """Sampled completions.

    Args:
        sequences: Prompts, padded on the left, and completions, (batch, prompt tokens + completion tokens).
        attention_mask: 1 on tokens and 0 on padding, of the same shape.
        completion_mask: 1 up to and with a completion's end token, (batch, completion tokens).
        ended: Whether a completion has an end token, (batch,).
    """

    sequences: Tensor
    attention_mask: Tensor
    completion_mask: Tensor
    ended: Tensor

    @property
    def length(self) -> int:
        """Tokens of the longest completion."""
        return int(self.completion_mask.shape[1])

    @property
    def tokens(self) -> Tensor:
        """The completions' ids, (batch, completion tokens)."""
        return self.sequences[:, -self.length :]

    def texts(self, tokenizer: Any) -> list[str]:
        """The completions as texts without special tokens.

        Args:
            tokenizer: The policy's.
        """
        lengths = self.completion_mask.sum(1).tolist()
        rows = [row[:length] for row, length in zip(self.tokens.tolist(), lengths, strict=True)]
        return [str(text) for text in tokenizer.batch_decode(rows, skip_special_tokens=True)]


@dataclass(frozen=True)
class Rollout:
    """Completions with what the models said of their tokens, each (batch, completion tokens).

    Args:
        completions: What was sampled.
        log_probs: Log-probabilities under the policy that sampled.
        ref_log_probs: The same under the reference model.
        values: The values of the states before the tokens.
        entropy: The entropy of the policy's distribution at each token, in nats.
    """

    completions: Completions
    log_probs: Tensor
    ref_log_probs: Tensor
    values: Tensor
    entropy: Tensor


def end_token_ids(policy: Any, tokenizer: Any) -> list[int]:
    """The tokens that end a completion: the tokenizer's and those of the policy's generation settings.

    Raises:
        ModelError: If there is none.
    """
    named = getattr(policy.generation_config, "eos_token_id", None)
    ids = {tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])} - {None}
    if not ids:
        raise ModelError(
            "Neither the policy nor its tokenizer names an end token, so no completion could ever end.",
            fix="Set tokenizer.eos_token.",
        )
    return sorted(ids)


def sample(
    policy: Any, prompts: PromptTokens, tokenizer: Any, *, temperature: float, max_length: int, batch_size: int
) -> Completions:
    """Answer prompts with torch's global random state. The policy's own settings of generation do not apply.

    The policy must be in evaluation mode. A completion ends with its first end token.

    Args:
        policy: A causal language model.
        prompts: What to answer.
        tokenizer: The policy's.
        temperature: What the logits are divided by.
        max_length: Tokens a completion may have.
        batch_size: Prompts answered at a time.
    """
    ends, pad = end_token_ids(policy, tokenizer), pad_token_id(tokenizer)
    settings = GenerationConfig(
        do_sample=True,
        temperature=temperature,
        top_k=0,
        top_p=1.0,
        max_new_tokens=max_length,
        eos_token_id=ends,
        pad_token_id=pad,
        bos_token_id=tokenizer.bos_token_id,
        use_cache=True,
    )
    width = prompts.ids.shape[1]
    with torch.no_grad(), _generating_by(policy, settings):
        parts = [
            policy.generate(input_ids=ids, attention_mask=mask)[:, width:]
            for ids, mask in zip(prompts.ids.split(batch_size), prompts.mask.split(batch_size), strict=True)
        ]
    longest = max(part.shape[1] for part in parts)
    tokens = torch.cat([torch.nn.functional.pad(part, (0, longest - part.shape[1]), value=pad) for part in parts])
    is_end = torch.isin(tokens, torch.tensor(ends, device=tokens.device))
    mask = ((is_end.cumsum(1) - is_end.long()) == 0).long()
    return Completions(
        sequences=torch.cat([prompts.ids, tokens], dim=1),
        attention_mask=torch.cat([prompts.mask, mask], dim=1),
        completion_mask=mask,
        ended=is_end.any(1),
    )


def observe(
    models: ActorCritic, reference: Any, completions: Completions, *, temperature: float, batch_size: int
) -> Rollout:
    """Let the policy, the reference and the value model each read sampled completions once.

    Args:
        models: The policy and the value model, in evaluation mode.
        reference: The reference model, in evaluation mode.
        completions: What to read.
        temperature: As in sampling.
        batch_size: Completions in a forward pass.
    """
    rows: list[tuple[Tensor, ...]] = []
    length = completions.length
    batches = zip(completions.sequences.split(batch_size), completions.attention_mask.split(batch_size), strict=True)
    with torch.no_grad():
        for ids, mask in batches:
            own = models(ids, mask, length, temperature, with_entropy=True)
            ref = score_tokens(reference, ids, mask, length, temperature)
            rows.append((own.log_probs, ref.log_probs, own.values, own.entropy))
    log_probs, ref_log_probs, values, entropy = (torch.cat(parts) for parts in zip(*rows, strict=True))
    return Rollout(completions, log_probs, ref_log_probs, values, entropy)


@contextmanager
def _generating_by(policy: Any, settings: GenerationConfig) -> Iterator[None]:
    """Replace the policy's settings of generation, which would otherwise fill in what ``settings`` leaves open."""
    holders = list({id(model): model for model in (policy, without_adapter_shell(policy))}.values())
    kept = [model.generation_config for model in holders]
    try:
        for model in holders:
            model.generation_config = settings
        yield
    finally:
        for model, own in zip(holders, kept, strict=True):
            model.generation_config = own
