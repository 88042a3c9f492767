"""The pure functions, each against the textbook formula in NumPy loops."""

import numpy as np
import pytest
import torch

from aligntune_trl.ppo import losses

LENGTHS = (6, 1, 4)
MASK = torch.tensor([[1] * length + [0] * (6 - length) for length in LENGTHS])


def draw(seed, scale=1.0):
    """Random numbers, junk on the padding included, which no result may depend on."""
    return torch.randn(3, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * scale


def tokens(values):
    """The values of real tokens, one after the other."""
    return np.concatenate([row[:length] for row, length in zip(values.numpy(), LENGTHS, strict=True)])


def by_row(values):
    return [row[:length] for row, length in zip(values.numpy(), LENGTHS, strict=True)]


@pytest.mark.parametrize(("gamma", "lam"), [(1.0, 0.95), (0.9, 0.5), (0.97, 1.0), (0.9, 0.0)])
def test_advantages_are_the_weighted_sums_of_residuals(gamma, lam):
    rewards, values = draw(1), draw(2)
    advantages, returns = losses.generalized_advantage(rewards, values, MASK, gamma, lam)
    for row, (reward, value) in enumerate(zip(by_row(rewards), by_row(values), strict=True)):
        end = len(reward)
        delta = [reward[t] + gamma * (value[t + 1] if t + 1 < end else 0.0) - value[t] for t in range(end)]
        expected = [sum((gamma * lam) ** (later - t) * delta[later] for later in range(t, end)) for t in range(end)]
        np.testing.assert_allclose(advantages[row, :end], expected, rtol=1e-12)
        np.testing.assert_allclose(returns[row, :end], np.array(expected) + value, rtol=1e-12)
        assert (advantages[row, end:] == 0).all()
        assert (returns[row, end:] == 0).all()


def test_with_lambda_one_returns_are_the_discounted_rewards_to_come():
    rewards, values = draw(1), draw(2)
    _, returns = losses.generalized_advantage(rewards, values, MASK, 0.9, 1.0)
    for row, reward in enumerate(by_row(rewards)):
        expected = [
            sum(0.9 ** (later - t) * reward[later] for later in range(t, len(reward))) for t in range(len(reward))
        ]
        np.testing.assert_allclose(returns[row, : len(reward)], expected, rtol=1e-12)


@pytest.mark.parametrize("shift_mean", [True, False])
def test_whitening_counts_real_tokens_only(shift_mean):
    values = draw(3, scale=4.0) + 2
    result = losses.whiten(values, MASK, shift_mean=shift_mean)
    real = tokens(values)
    expected = (real - real.mean()) / np.sqrt(real.var() + 1e-8) + (0 if shift_mean else real.mean())
    np.testing.assert_allclose(tokens(result), expected, rtol=1e-10)
    assert (result[MASK == 0] == 0).all()


def test_whitening_equal_values_stays_finite():
    assert torch.isfinite(losses.whiten(torch.full((3, 6), 2.0), MASK)).all()


def surrogate(new, old, advantages, clip):
    ratio = np.exp(new - old)
    return -np.minimum(ratio * advantages, np.clip(ratio, 1 - clip, 1 + clip) * advantages), ratio


def test_clipped_surrogate():
    new, old, advantages = draw(4, 0.3), draw(5, 0.3), draw(6)
    result = losses.clipped_surrogate(new, old, advantages, MASK, 0.2)
    loss, ratio = surrogate(tokens(new), tokens(old), tokens(advantages), 0.2)
    np.testing.assert_allclose(result.loss, loss.mean(), rtol=1e-10)
    np.testing.assert_allclose(result.clip_fraction, np.mean(np.abs(ratio - 1) > 0.2))
    np.testing.assert_allclose(result.approx_kl, np.mean(ratio - 1 - np.log(ratio)), rtol=1e-10)
    np.testing.assert_allclose(result.ratio, ratio.mean(), rtol=1e-10)
    assert 0 < result.clip_fraction < 1


@pytest.mark.parametrize(
    ("advantage", "ratio", "moves"), [(1, 1.5, False), (1, 0.5, True), (-1, 0.5, False), (-1, 1.5, True)]
)
def test_the_clip_stops_gradients_only_where_more_would_pay_off(advantage, ratio, moves):
    new = torch.tensor([[np.log(ratio)]], requires_grad=True)
    losses.clipped_surrogate(
        new, torch.zeros(1, 1), torch.full((1, 1), float(advantage)), torch.ones(1, 1), 0.2
    ).loss.backward()
    assert bool(new.grad.abs().sum() > 0) is moves


def test_clipped_value_loss():
    new, old, returns = draw(7, 0.5), draw(8, 0.5), draw(9)
    result = losses.clipped_value_loss(new, old, returns, MASK, 0.2)
    v, before, target = tokens(new), tokens(old), tokens(returns)
    held = before + np.clip(v - before, -0.2, 0.2)
    np.testing.assert_allclose(
        result.loss, 0.5 * np.maximum((v - target) ** 2, (held - target) ** 2).mean(), rtol=1e-10
    )
    np.testing.assert_allclose(result.clip_fraction, np.mean(np.abs(v - before) > 0.2))
    free = losses.clipped_value_loss(new, old, returns, MASK, None)
    np.testing.assert_allclose(free.loss, 0.5 * ((v - target) ** 2).mean(), rtol=1e-10)
    assert free.clip_fraction == 0


def test_parts_of_a_mini_batch_add_up_to_it():
    new, old, advantages = draw(4, 0.3), draw(5, 0.3), draw(6)
    whole = losses.clipped_surrogate(new, old, advantages, MASK, 0.2)
    parts = [
        losses.clipped_surrogate(
            new[r : r + 1], old[r : r + 1], advantages[r : r + 1], MASK[r : r + 1], 0.2, count=MASK.sum()
        )
        for r in range(3)
    ]
    for name in whole._fields:
        np.testing.assert_allclose(sum(getattr(part, name) for part in parts), getattr(whole, name), rtol=1e-12)


@pytest.mark.parametrize("estimator", ["k1", "k3"])
def test_kl_estimates(estimator):
    policy, reference = draw(10, 0.5), draw(11, 0.5)
    kl = losses.per_token_kl_penalty(policy, reference, MASK, estimator)
    difference = tokens(policy) - tokens(reference)
    expected = difference if estimator == "k1" else np.exp(-difference) - 1 + difference
    np.testing.assert_allclose(tokens(kl), expected, rtol=1e-9)
    assert (kl[MASK == 0] == 0).all()


@pytest.mark.parametrize("estimator", ["k1", "k3"])
def test_kl_estimates_have_the_divergence_as_their_mean(estimator):
    generator = torch.Generator().manual_seed(0)
    p, q = torch.randn(2, 5, generator=generator).log_softmax(-1)
    drawn = torch.multinomial(p.exp(), 200_000, replacement=True, generator=generator)
    kl = losses.per_token_kl_penalty(p[drawn][None], q[drawn][None], torch.ones(1, len(drawn)), estimator)
    assert kl.mean().item() == pytest.approx((p.exp() * (p - q)).sum().item(), rel=0.03)


def test_a_score_lands_on_the_last_token():
    kl, scores = draw(12), torch.tensor([1.0, 2.0, 3.0])
    rewards = losses.shaped_rewards(scores, kl, MASK, 0.5)
    for row, length in enumerate(LENGTHS):
        expected = -0.5 * kl[row, :length].numpy()
        expected[-1] += scores[row].item()
        np.testing.assert_allclose(rewards[row, :length], expected, rtol=1e-12)
        assert (rewards[row, length:] == 0).all()


def test_entropy():
    logits = draw(13)[None]
    p = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(-1, keepdims=True)
    np.testing.assert_allclose(losses.entropy(logits), -(p * np.log(p)).sum(-1), rtol=1e-10)


def test_explained_variance():
    values, returns = draw(14), draw(15)
    expected = 1 - np.var(tokens(returns) - tokens(values)) / np.var(tokens(returns))
    np.testing.assert_allclose(losses.explained_variance(values, returns, MASK), expected, rtol=1e-10)
    assert losses.explained_variance(returns, returns, MASK) == 1
    assert losses.explained_variance(values, torch.ones(3, 6), MASK) == 0
