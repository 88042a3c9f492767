"""The quantities of PPO on tokens: advantages, the clipped losses, the pull towards the reference, as pure functions.

Every tensor is (batch, completion tokens) unless it says otherwise; masks are 1 on a completion's tokens and 0 after
its end, and a completion's tokens come first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import torch

if TYPE_CHECKING:
    from torch import Tensor

KlEstimator = Literal["k1", "k3"]


class PolicyLoss(NamedTuple):
    """The policy's loss, with scalars that tell how far the policy has moved."""

    loss: Tensor
    clip_fraction: Tensor
    approx_kl: Tensor
    ratio: Tensor


class ValueLoss(NamedTuple):
    """The value model's loss, and the share of tokens whose prediction was held back by the clip."""

    loss: Tensor
    clip_fraction: Tensor


def masked_mean(values: Tensor, mask: Tensor, count: Tensor | None = None) -> Tensor:
    """The mean over the tokens of the mask.

    Args:
        values: What is averaged.
        mask: Which tokens count.
        count: What to divide by instead of the mask's own tokens, so that the parts of a larger batch add up to its
            mean; a scalar.
    """
    tokens = mask.sum() if count is None else count
    return (values * mask).sum() / tokens


def whiten(values: Tensor, mask: Tensor, shift_mean: bool = True) -> Tensor:
    """Scale to unit variance over the tokens of the mask.

    Args:
        values: What is scaled.
        mask: Which tokens count; the others come out as 0.
        shift_mean: Whether the mean becomes 0; otherwise it stays what it was.

    Source: the reward and advantage whitening of arXiv 1909.08593, with the biased variance.
    """
    mean = masked_mean(values, mask)
    variance = masked_mean((values - mean) ** 2, mask)
    scaled = (values - mean) * torch.rsqrt(variance + 1e-8)
    return (scaled if shift_mean else scaled + mean) * mask


def per_token_kl_penalty(
    log_probs: Tensor, ref_log_probs: Tensor, mask: Tensor, estimator: KlEstimator = "k1"
) -> Tensor:
    """An estimate, for each token, of the divergence KL(policy, reference) in nats, before its coefficient.

    Args:
        log_probs: Log-probabilities of the sampled tokens under the policy.
        ref_log_probs: The same under the reference model.
        mask: Which tokens count; the others come out as 0.
        estimator: ``k1``, the log-ratio, or ``k3``, which has less variance and is never negative.

    Source: arXiv 1909.08593, equation 2; the estimators from http://joschu.net/blog/kl-approx.html.
    """
    difference = (log_probs - ref_log_probs) * mask
    return difference if estimator == "k1" else torch.expm1(-difference) + difference


def shaped_rewards(scores: Tensor, kl: Tensor, mask: Tensor, kl_coef: float) -> Tensor:
    """The reward of each token: the completion's score at its last token, less the pull towards the reference.

    Args:
        scores: One score for each completion, (batch,).
        kl: The divergence at each token.
        mask: Which tokens count.
        kl_coef: The weight of the pull.

    Source: arXiv 1909.08593, equation 2.
    """
    rewards = -kl_coef * kl * mask
    last = (mask.sum(1).long() - 1).clamp_min(0)
    return rewards.scatter_add(1, last[:, None], scores[:, None].to(rewards.dtype))


def generalized_advantage(
    rewards: Tensor, values: Tensor, mask: Tensor, gamma: float, lam: float
) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation; a completion ends at its last token, with nothing to come.

    Args:
        rewards: The reward after each token.
        values: The value of the state before each token.
        mask: Which tokens count; the others come out as 0.
        gamma: The discount factor.
        lam: The exponential weight between one-step (0) and whole-return (1) estimates.

    Returns:
        The advantages, and the returns that the values should have predicted.

    Source: arXiv 1506.02438, equations 11 to 16.
    """
    values = values * mask
    following = torch.cat([values[:, 1:], torch.zeros_like(values[:, :1])], dim=1)
    residuals = (rewards + gamma * following - values) * mask
    advantages = torch.zeros_like(residuals)
    running = torch.zeros_like(residuals[:, 0])
    for token in range(residuals.shape[1] - 1, -1, -1):
        running = residuals[:, token] + gamma * lam * running
        advantages[:, token] = running
    return advantages, advantages + values


def clipped_surrogate(
    log_probs: Tensor,
    old_log_probs: Tensor,
    advantages: Tensor,
    mask: Tensor,
    clip_range: float,
    *,
    count: Tensor | None = None,
) -> PolicyLoss:
    """The negated clipped objective, averaged over tokens.

    Args:
        log_probs: Log-probabilities of the sampled tokens under the policy as it is.
        old_log_probs: The same under the policy that sampled them.
        advantages: How much better each token was than expected.
        mask: Which tokens count.
        clip_range: How far from 1 the probability ratio may pay off.
        count: What to divide by, as in :func:`masked_mean`.

    Returns:
        The loss; the share of tokens whose ratio lies outside the range; the divergence KL(old, new) per token by
        the k3 estimator, in nats; the mean ratio.

    Source: arXiv 1707.06347, equation 7.
    """
    log_ratio = (log_probs - old_log_probs) * mask
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - clip_range, 1 + clip_range)
    objective = torch.minimum(ratio * advantages, clipped * advantages)
    with torch.no_grad():
        outside = ((ratio - 1).abs() > clip_range).to(ratio.dtype)
        approx_kl = torch.expm1(log_ratio) - log_ratio
        moved = [masked_mean(quantity, mask, count) for quantity in (outside, approx_kl, ratio)]
    return PolicyLoss(-masked_mean(objective, mask, count), *moved)


def clipped_value_loss(
    values: Tensor,
    old_values: Tensor,
    returns: Tensor,
    mask: Tensor,
    clip_range: float | None,
    *,
    count: Tensor | None = None,
) -> ValueLoss:
    """Half the squared error of the values, the worse of the prediction and the prediction held near the old one.

    Args:
        values: The predictions as they are.
        old_values: The predictions when the completions were sampled.
        returns: What they should be.
        mask: Which tokens count.
        clip_range: How far a prediction may move and still pay off, in units of reward; None for as far as it likes.
        count: What to divide by, as in :func:`masked_mean`.

    Source: the value loss of the implementation that came with arXiv 1707.06347 (OpenAI baselines, ppo2).
    """
    errors = (values - returns) ** 2
    moved = values - old_values
    if clip_range is None:
        return ValueLoss(0.5 * masked_mean(errors, mask, count), torch.zeros_like(errors.sum()).detach())
    held = old_values + moved.clamp(-clip_range, clip_range)
    errors = torch.maximum(errors, (held - returns) ** 2)
    outside = (moved.abs() > clip_range).to(values.dtype).detach()
    return ValueLoss(0.5 * masked_mean(errors, mask, count), masked_mean(outside, mask, count))


def entropy(logits: Tensor) -> Tensor:
    """The entropy of each next-token distribution in nats.

    Args:
        logits: Unnormalised log-probabilities, (batch, tokens, vocabulary).
    """
    return logits.logsumexp(-1) - (logits.softmax(-1) * logits).sum(-1)


def explained_variance(values: Tensor, returns: Tensor, mask: Tensor) -> Tensor:
    """The share of the returns' variance that the values predict: 1 at best, 0 for a constant, below 0 for worse.

    Args:
        values: The predictions.
        returns: What was to be predicted; without variance the result is 0.
        mask: Which tokens count.
    """
    rest = returns - values
    left = masked_mean((rest - masked_mean(rest, mask)) ** 2, mask)
    variance = masked_mean((returns - masked_mean(returns, mask)) ** 2, mask)
    return torch.where(variance > 0, 1 - left / variance.clamp_min(1e-12), torch.zeros_like(variance))
