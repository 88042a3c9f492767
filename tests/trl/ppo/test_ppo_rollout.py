"""Sampling, and what the models say of the tokens."""

import pytest
import torch
from ppo_tiny import make_policy, make_tokenizer
from transformers import GenerationConfig

from aligntune_core.errors import DataError, ModelError
from aligntune_trl.ppo.actor_critic import ActorCritic
from aligntune_trl.ppo.prompts import check_prompts, encode_prompts
from aligntune_trl.ppo.rollout import end_token_ids, observe, sample
from aligntune_trl.ppo.value_model import value_model_from_policy

PROMPTS = ["a", "bcd", "hello there", "q"] * 4


def roll_out(policy, *, temperature=1.0, max_length=12, batch_size=16, prompts=PROMPTS):
    tokenizer = make_tokenizer()
    torch.manual_seed(3)
    encoded = encode_prompts(prompts, tokenizer, None, "cpu")
    return sample(
        policy.eval(), encoded, tokenizer, temperature=temperature, max_length=max_length, batch_size=batch_size
    )


def test_a_completion_is_its_tokens_up_to_the_first_end():
    completions = roll_out(make_policy())
    assert 0 < completions.ended.sum() < len(PROMPTS)
    for tokens, mask, ended in zip(
        completions.tokens.tolist(), completions.completion_mask.tolist(), completions.ended, strict=True
    ):
        expected = tokens.index(1) + 1 if 1 in tokens else len(tokens)
        assert mask == [1] * expected + [0] * (len(tokens) - expected)
        assert bool(ended) is (1 in tokens)
    assert completions.tokens.shape == completions.completion_mask.shape


def test_the_padding_token_can_be_the_end_token():
    tokenizer = make_tokenizer()
    tokenizer.pad_token = tokenizer.eos_token
    torch.manual_seed(3)
    encoded = encode_prompts(PROMPTS, tokenizer, None, "cpu")
    completions = sample(make_policy().eval(), encoded, tokenizer, temperature=1.0, max_length=12, batch_size=16)
    lengths = completions.completion_mask.sum(1)
    for tokens, length, ended in zip(completions.tokens.tolist(), lengths.tolist(), completions.ended, strict=True):
        assert (tokens[length - 1] == 1) is bool(ended)
        assert 1 not in tokens[: length - 1]


def test_sampling_follows_the_global_random_state_and_is_split_freely():
    policy = make_policy()
    assert torch.equal(roll_out(policy).sequences, roll_out(policy).sequences)
    parts = roll_out(policy, batch_size=3)
    assert parts.sequences.shape[0] == len(PROMPTS)
    assert (parts.tokens * parts.completion_mask == parts.tokens * (parts.tokens != 0)).all()


@pytest.mark.parametrize("lora", [False, True])
def test_the_models_own_generation_settings_do_not_apply(lora):
    policy, plain = make_policy(lora=lora), make_policy(lora=lora)
    own = GenerationConfig(top_k=1, repetition_penalty=9.0, eos_token_id=1, pad_token_id=0, min_new_tokens=5)
    policy.generation_config = own
    assert torch.equal(roll_out(policy).sequences, roll_out(plain).sequences)
    assert policy.generation_config is own


@pytest.mark.parametrize("temperature", [1.0, 0.6])
@pytest.mark.parametrize("lora", [False, True])
def test_log_probs_are_those_of_each_sequence_alone(lora, temperature):
    policy, reference = make_policy(lora=lora), make_policy(seed=5)
    models = ActorCritic(policy, value_model_from_policy(policy)).eval()
    torch.nn.init.normal_(models.value_model.head.weight)
    completions = roll_out(policy)
    rollout = observe(models, reference.eval(), completions, temperature=temperature, batch_size=5)
    width = completions.sequences.shape[1] - completions.length
    for row in range(len(PROMPTS)):
        length = int(completions.completion_mask[row].sum())
        begin = width - int(completions.attention_mask[row, :width].sum())
        ids = completions.sequences[row, begin : width + length]
        with torch.no_grad():
            for model, seen in ((policy, rollout.log_probs), (reference, rollout.ref_log_probs)):
                logits = model(ids[None]).logits[0].double() / temperature
                expected = logits.log_softmax(-1)[torch.arange(len(ids) - 1), ids[1:]][-length:]
                torch.testing.assert_close(seen[row, :length].double(), expected, rtol=1e-4, atol=1e-4)
            hidden = models.value_model.backbone(ids[None]).last_hidden_state
            values = models.value_model.head(hidden)[0, -length - 1 : -1, 0]
            torch.testing.assert_close(rollout.values[row, :length], values, rtol=1e-4, atol=1e-4)


def test_sampling_draws_from_the_distribution_of_the_log_probs():
    policy = make_policy()
    completions = roll_out(policy, temperature=0.5, max_length=1, prompts=["abc"] * 4000, batch_size=4000)
    with torch.no_grad():
        p = (policy(completions.sequences[:1, :3]).logits[0, -1] / 0.5).softmax(-1)
    seen = torch.bincount(completions.tokens[:, 0], minlength=30) / 4000
    assert (seen - p).abs().max() < 0.03
    assert p.max() > 0.1


def test_no_end_token_is_refused():
    policy, tokenizer = make_policy(eos_token_id=None), make_tokenizer()
    tokenizer.eos_token = None
    policy.generation_config.eos_token_id = None
    with pytest.raises(ModelError, match="end token"):
        end_token_ids(policy, tokenizer)


def test_end_tokens_of_the_model_and_the_tokenizer_both_count():
    policy = make_policy()
    policy.generation_config.eos_token_id = [7, 9]
    assert end_token_ids(policy, make_tokenizer()) == [1, 7, 9]


def test_long_prompts_keep_their_last_tokens():
    prompts = encode_prompts(["abcdef", "g"], make_tokenizer(), 3, "cpu")
    assert make_tokenizer().decode(prompts.ids[0]) == "def"
    assert prompts.mask.tolist() == [[1, 1, 1], [0, 0, 1]]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "The data has no rows"),
        ([{"text": "a"}], "no 'prompt'; its columns are 'text'"),
        ([{"prompt": "a"}, {"prompt": ""}], "Row 1 of the data: A prompt is empty"),
        ([{"prompt": 3}], "neither a text nor a list of messages"),
        ([{"prompt": []}], "neither a text nor a list of messages"),
        ([{"prompt": "a" * 11}], "has 11 tokens, but the model's context leaves 10"),
    ],
)
def test_unusable_prompts_are_found_beforehand(rows, says):
    with pytest.raises(DataError, match=says):
        check_prompts(rows, "data", make_tokenizer(), None, 10)
    check_prompts([{"prompt": "a" * 11}], "data", make_tokenizer(), 10, 10)


def test_messages_need_a_chat_template():
    with pytest.raises(ModelError, match="chat template"):
        check_prompts([{"prompt": [{"role": "user", "content": "a"}]}], "data", make_tokenizer(), None, 10)
