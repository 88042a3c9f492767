"""The value model: what it starts as, what it shares, how it is kept."""

import pytest
import torch
from ppo_tiny import make_policy, make_reward_model
from transformers import BertConfig, BertForSequenceClassification

from aligntune_core.errors import CheckpointError, ModelError
from aligntune_trl.ppo.value_model import (
    frozen_copy,
    load_value_model,
    save_value_model,
    value_model_from_policy,
    value_model_from_reward_model,
)

IDS = torch.tensor([[5, 6, 7, 8], [0, 0, 9, 10]])
PADDING = (IDS != 0).long()


def own_bytes(model, *others):
    held = {weight.data_ptr() for other in others for weight in other.parameters()}
    return sum(weight.nbytes for weight in model.parameters() if weight.data_ptr() not in held)


@pytest.mark.parametrize("lora", [False, True])
def test_it_starts_as_the_policy_under_zeros(lora):
    policy = make_policy(lora=lora)
    model = value_model_from_policy(policy)
    assert (model(IDS, PADDING) == 0).all()
    assert all(weight.requires_grad for weight in model.head.parameters())


@pytest.mark.parametrize("lora", [False, True])
def test_it_starts_as_the_reward_model_read_everywhere(lora):
    reward_model = make_reward_model().eval()
    model = value_model_from_reward_model(reward_model, make_policy(lora=lora)).eval()
    values = model(IDS, PADDING)
    for end in range(1, 5):
        ids = IDS[:1, :end]
        torch.testing.assert_close(values[0, end - 1], reward_model(ids).logits[0, 0], rtol=1e-5, atol=1e-5)


def test_lora_shares_frozen_weights_and_trains_its_own():
    policy, reward_model = make_policy(lora=True), make_reward_model()
    for model, owner in (
        (value_model_from_policy(policy), policy),
        (value_model_from_reward_model(reward_model, policy), reward_model),
        (frozen_copy(policy), policy),
    ):
        assert 0 < own_bytes(model, owner) < 0.5 * own_bytes(owner)
    model = value_model_from_policy(policy)
    trained = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert {name.split(".")[-3] for name in trained - {"head.weight"}} == {"lora_A", "lora_B"}
    assert not {id(weight) for weight in model.parameters() if weight.requires_grad} & {
        id(w) for w in policy.parameters()
    }


def test_full_training_shares_nothing():
    policy = make_policy()
    assert own_bytes(value_model_from_policy(policy), policy) > 0.8 * own_bytes(policy)
    reference = frozen_copy(policy)
    assert own_bytes(reference, policy) == own_bytes(policy)
    assert not any(weight.requires_grad for weight in reference.parameters())
    assert all(weight.requires_grad for weight in policy.parameters())


def test_a_reference_keeps_the_adapter_it_was_made_with():
    policy = make_policy(lora=True).eval()
    for name, weight in policy.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight)
    before = policy(IDS).logits
    reference = frozen_copy(policy)
    with torch.no_grad():
        for weight in policy.parameters():
            if weight.requires_grad:
                weight.zero_()
    torch.testing.assert_close(reference(IDS).logits, before)
    assert not torch.allclose(policy(IDS).logits, before)


@pytest.mark.parametrize("lora", [False, True])
def test_saved_and_loaded(lora, tmp_path):
    model, other = (value_model_from_policy(make_policy(lora=lora, seed=0)) for _ in range(2))
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight.normal_()
    save_value_model(model, tmp_path)
    assert not torch.equal(model(IDS, PADDING), other(IDS, PADDING))
    load_value_model(other, tmp_path)
    assert torch.equal(model(IDS, PADDING), other(IDS, PADDING))


@pytest.mark.parametrize("fault", ["missing", "cut short", "another model's"])
def test_a_faulty_file_is_named(fault, tmp_path):
    path = save_value_model(value_model_from_policy(make_policy()), tmp_path)
    model = value_model_from_policy(make_policy(hidden_size=16 if fault == "another model's" else 32))
    if fault == "missing":
        path.unlink()
    elif fault == "cut short":
        path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"value_model.model\.safetensors"):
        load_value_model(model, tmp_path)


def test_models_that_cannot_be_read_everywhere_are_refused():
    config = BertConfig(vocab_size=30, hidden_size=16, num_hidden_layers=1, num_attention_heads=1, intermediate_size=16)
    classifier = BertForSequenceClassification(BertConfig(**{**config.to_dict(), "num_labels": 1}))
    with pytest.raises(ModelError, match="no decoder with a 'score' head"):
        value_model_from_reward_model(classifier, make_policy())
