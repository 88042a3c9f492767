"""From scores to what is learned, and how it is portioned out."""

import pytest
import torch
from ppo_tiny import make_config

from aligntune_trl.ppo.experience import learn_from
from aligntune_trl.ppo.optimizing import mini_batches
from aligntune_trl.ppo.reward import Scores
from aligntune_trl.ppo.rollout import Completions, Rollout

MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 0]])


def rollout():
    generator = torch.Generator().manual_seed(0)
    log_probs, ref_log_probs, values, entropy = torch.randn(4, 3, 4, generator=generator)
    tokens = torch.arange(12).view(3, 4)
    completions = Completions(tokens, MASK, MASK, torch.tensor([False, True, True]))
    return Rollout(completions, log_probs, ref_log_probs, values, entropy)


def advantages(tmp_path, **settings):
    config = make_config(tmp_path, **{"whiten_advantages": False, "gamma": 1.0, "lam": 1.0, "kl_coef": 0.0, **settings})
    return learn_from(rollout(), Scores(torch.tensor([1.0, 2.0, 3.0])), config)


def test_returns_are_the_scores_without_a_pull(tmp_path):
    torch.testing.assert_close(advantages(tmp_path).returns, torch.tensor([1.0, 2.0, 3.0])[:, None] * MASK)


def test_a_completion_that_did_not_end_pays_the_penalty(tmp_path):
    returns = advantages(tmp_path, missing_eos_penalty=5.0).returns
    torch.testing.assert_close(returns, torch.tensor([-4.0, 2.0, 3.0])[:, None] * MASK)


def test_the_pull_is_taken_off_token_by_token(tmp_path):
    returns = advantages(tmp_path, kl_coef=0.5).returns
    told = rollout()
    left = ((told.log_probs - told.ref_log_probs) * MASK).flip(1).cumsum(1).flip(1)
    torch.testing.assert_close(returns, (torch.tensor([1.0, 2.0, 3.0])[:, None] - 0.5 * left) * MASK)


@pytest.mark.parametrize("whiten", [True, False])
def test_advantages_are_whitened_if_asked(whiten, tmp_path):
    experience = advantages(tmp_path, whiten_advantages=whiten)
    real = experience.advantages[MASK.bool()]
    mean, variance = real.mean().item(), real.var(unbiased=False).item()
    assert (abs(mean) < 1e-5 and abs(variance - 1) < 1e-4) is whiten
    torch.testing.assert_close(experience.returns, advantages(tmp_path).returns)


def test_rewards_are_whitened_if_asked(tmp_path):
    returns = advantages(tmp_path, whiten_rewards=True).returns
    rewards = returns - torch.cat([returns[:, 1:], torch.zeros(3, 1)], 1)
    assert rewards[MASK.bool()].var(unbiased=False).item() == pytest.approx(1, abs=1e-4)
    assert rewards[MASK.bool()].mean().item() == pytest.approx(6 / 9, abs=1e-4)


def test_rows_of_an_experience_stay_together(tmp_path):
    experience = advantages(tmp_path)
    part = experience.rows(torch.tensor([2, 0]))
    assert len(part) == 2
    assert torch.equal(part.sequences, experience.sequences[[2, 0]])
    assert torch.equal(part.returns, experience.returns[[2, 0]])


def test_each_pass_uses_every_row_once_in_an_order_of_its_own():
    torch.manual_seed(0)
    plan = list(mini_batches(20, 2, 3))
    assert [len(part) for part in plan] == [7, 7, 6] * 2
    passes = [torch.cat(plan[:3]).tolist(), torch.cat(plan[3:]).tolist()]
    assert sorted(passes[0]) == sorted(passes[1]) == list(range(20))
    assert passes[0] != passes[1] != list(range(20)) != passes[0]
    assert len(list(mini_batches(2, 1, 3))) == 2
