"""What one forward pass of the policy and the value model minimises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_trl.ppo.losses import clipped_surrogate, clipped_value_loss

if TYPE_CHECKING:
    from torch import Tensor

    from aligntune_trl.ppo.config import PPOConfig
    from aligntune_trl.ppo.experience import Experience


def objective(model: Any, batch: Experience, tokens: Tensor, args: PPOConfig) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of some rows of a mini-batch, whose sum over all its rows is the mean over the mini-batch's tokens.

    Args:
        model: The policy and its value model, in training mode.
        batch: The rows.
        tokens: Completion tokens of the whole mini-batch, a scalar.
        args: The settings.

    Returns:
        The loss to go down, and the figures that are logged, scalars without gradients.
    """
    now = model(batch.sequences, batch.attention_mask, batch.mask.shape[1], args.temperature)
    policy = clipped_surrogate(
        now.log_probs, batch.log_probs, batch.advantages, batch.mask, args.clip_range, count=tokens
    )
    value = clipped_value_loss(now.values, batch.values, batch.returns, batch.mask, args.clip_range_value, count=tokens)
    figures = {
        "policy_loss": policy.loss,
        "value_loss": value.loss,
        "clip_fraction": policy.clip_fraction,
        "value_clip_fraction": value.clip_fraction,
        "approx_kl": policy.approx_kl,
        "ratio": policy.ratio,
    }
    loss = policy.loss + args.value_loss_coef * value.loss
    return loss, {name: figure.detach() for name, figure in figures.items()}
