"""From a judged rollout to what the policy learns from, and to the figures that are logged about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aligntune_trl.ppo.losses import (
    KlEstimator,
    explained_variance,
    generalized_advantage,
    masked_mean,
    per_token_kl_penalty,
    shaped_rewards,
    whiten,
)

if TYPE_CHECKING:
    from torch import Tensor

    from aligntune_trl.ppo.config import PPOConfig
    from aligntune_trl.ppo.reward import Scores
    from aligntune_trl.ppo.rollout import Rollout


@dataclass(frozen=True)
class Experience:
    """What the mini-batches are taken from: one row for each completion.

    Args:
        sequences: Prompts and completions, (batch, tokens).
        attention_mask: 1 on tokens and 0 on padding, (batch, tokens).
        mask: 1 on a completion's tokens, (batch, completion tokens), like all that follow.
        log_probs: Log-probabilities under the policy that sampled.
        values: The value model's predictions at that time.
        advantages: How much better each token was than expected.
        returns: What the value model should have predicted.
    """

    sequences: Tensor
    attention_mask: Tensor
    mask: Tensor
    log_probs: Tensor
    values: Tensor
    advantages: Tensor
    returns: Tensor

    def __len__(self) -> int:
        return len(self.sequences)

    def rows(self, indices: Tensor) -> Experience:
        """The rows at ``indices``, a tensor of integers."""
        return Experience(*(getattr(self, name)[indices] for name in self.__dataclass_fields__))


def learn_from(rollout: Rollout, scores: Scores, args: PPOConfig) -> Experience:
    """Rewards for tokens, then advantages and returns.

    Args:
        rollout: What was sampled and read.
        scores: What the completions are worth.
        args: The settings.
    """
    completions = rollout.completions
    mask = completions.completion_mask
    total = scores.total
    if args.missing_eos_penalty is not None:
        total = total - args.missing_eos_penalty * (~completions.ended).float()
    kl = _kl(rollout, args.kl_estimator)
    rewards = shaped_rewards(total, kl, mask, args.kl_coef)
    if args.whiten_rewards:
        rewards = whiten(rewards, mask, shift_mean=False)
    advantages, returns = generalized_advantage(rewards, rollout.values, mask, args.gamma, args.lam)
    if args.whiten_advantages:
        advantages = whiten(advantages, mask)
    return Experience(
        sequences=completions.sequences,
        attention_mask=completions.attention_mask,
        mask=mask,
        log_probs=rollout.log_probs,
        values=rollout.values,
        advantages=advantages,
        returns=returns,
    )


def completion_figures(rollout: Rollout, scores: Scores, args: PPOConfig) -> dict[str, Tensor]:
    """One figure for each completion, by the name under which their mean is logged, each (batch,).

    Args:
        rollout: What was sampled and read.
        scores: What the completions are worth.
        args: The settings.
    """
    completions = rollout.completions
    return {
        "reward/mean": scores.total,
        **{f"reward/{name}/mean": part for name, part in scores.parts.items()},
        "kl": _kl(rollout, args.kl_estimator).sum(1),
        "completion/mean_length": completions.completion_mask.sum(1).float(),
        "completion/eos_share": completions.ended.float(),
    }


def token_figures(rollout: Rollout, experience: Experience) -> dict[str, Tensor]:
    """Figures over all tokens of a rollout, scalars by the name under which they are logged.

    Args:
        rollout: What was sampled and read.
        experience: What was made of it.
    """
    mask = experience.mask
    return {
        "entropy": masked_mean(rollout.entropy, mask),
        "explained_variance": explained_variance(experience.values, experience.returns, mask),
    }


def _kl(rollout: Rollout, estimator: str) -> Tensor:
    kind: KlEstimator = "k3" if estimator == "k3" else "k1"
    mask = rollout.completions.completion_mask
    return per_token_kl_penalty(rollout.log_probs, rollout.ref_log_probs, mask, kind)
