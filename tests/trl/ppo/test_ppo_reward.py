"""What a completion is worth, by functions and by models."""

import math

import pytest
import torch
from ppo_tiny import LETTERS, TEMPLATE, make_reward_model, make_tokenizer

from aligntune_core.errors import ModelError, RewardError, RunError
from aligntune_trl.ppo.prompts import encode_prompts
from aligntune_trl.ppo.reward import FunctionReward, ModelReward
from aligntune_trl.ppo.rollout import Completions

ROWS = [{"prompt": "ab", "answer": 1}, {"prompt": "c", "answer": 2}]
OTHER = "".join(reversed(LETTERS))


def completions(prompts=("ab", "c"), answers=("xy", "zzz"), ended=(True, False)):
    tokenizer = make_tokenizer()
    encoded = encode_prompts(list(prompts), tokenizer, None, "cpu")
    rows = [tokenizer(text)["input_ids"] + [1] * end for text, end in zip(answers, ended, strict=True)]
    width = max(map(len, rows))
    tokens = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    return Completions(
        torch.cat([encoded.ids, tokens], 1), torch.cat([encoded.mask, mask], 1), mask, torch.tensor(ended)
    )


def test_functions_get_prompts_completions_and_columns():
    seen = {}

    def first(**given):
        seen.update(given)
        return [1, 2]

    def second(answer, **_):
        return torch.tensor(answer) * 10

    scores = FunctionReward([first, second], make_tokenizer(), [1.0, 0.5])(ROWS, completions())
    assert seen == {"prompts": ["ab", "c"], "completions": ["xy", "zzz"], "answer": [1, 2]}
    assert scores.total.tolist() == [6.0, 12.0]
    assert {name: part.tolist() for name, part in scores.parts.items()} == {"first": [1, 2], "second": [10, 20]}


def test_completions_of_messages_are_messages():
    prompt = [{"role": "user", "content": "ab"}]
    seen = []
    reward = FunctionReward({"named": lambda completions, **_: seen.extend(completions) or [0, 0]}, make_tokenizer())
    reward([{"prompt": prompt}, {"prompt": "c"}], completions())
    assert seen == [[{"role": "assistant", "content": "xy"}], "zzz"]


def test_functions_of_one_name_stay_apart():
    functions = [lambda **_: [1, 1], lambda **_: [2, 2]]
    assert list(FunctionReward(functions, make_tokenizer()).functions) == ["lambda", "lambda_2"]


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        ([1.0, math.nan], r"'bad' returned NaN for the completion 'zzz' to the prompt 'c'"),
        ([None, 1.0], r"'bad' returned None for the completion 'xy' to the prompt 'ab'"),
        ([1.0, math.inf], r"'bad' returned inf for the completion 'zzz'"),
        (["1", "2"], r"'bad' returned the text '1' for the completion 'xy'"),
        ([1.0], r"'bad' returned 1 rewards for 2 completions"),
        (None, r"'bad' returned None, not a list of rewards"),
        (3.0, r"'bad' returned a float, not a list of rewards"),
    ],
)
def test_what_is_no_reward_is_named(returned, says):
    with pytest.raises(RewardError, match=says):
        FunctionReward({"bad": lambda **_: returned}, make_tokenizer())(ROWS, completions())


def test_a_function_that_fails_is_named_and_its_error_kept():
    def bad(prompts, completions):
        return list(zip(prompts, completions, strict=True))

    with pytest.raises(RewardError, match=r"'bad' failed with TypeError: .*answer") as caught:
        FunctionReward([bad], make_tokenizer())(ROWS, completions())
    assert isinstance(caught.value.__cause__, TypeError)


def test_a_functions_own_reward_error_is_left_as_it_is():
    own = RewardError("the answer is missing")

    def strict(**_):
        raise own

    with pytest.raises(RewardError) as caught:
        FunctionReward([strict], make_tokenizer())(ROWS, completions())
    assert caught.value is own


@pytest.mark.parametrize(("functions", "weights"), [([], None), ([lambda **_: []], [1, 2])])
def test_functions_and_weights_must_fit(functions, weights):
    with pytest.raises(RewardError, match="weights"):
        FunctionReward(functions, make_tokenizer(), weights)


def score_alone(model, ids):
    return model(torch.tensor([ids])).logits[0, 0].item()


def test_a_reward_model_of_the_same_tokens_reads_the_last_real_one():
    model, tokenizer = make_reward_model(), make_tokenizer()
    reward = ModelReward(model, make_tokenizer(), tokenizer, batch_size=1)
    assert reward.reads_ids
    expected = [
        score_alone(model, [*tokenizer("abxy")["input_ids"], 1]),
        score_alone(model, tokenizer("czzz")["input_ids"]),
    ]
    assert reward(ROWS, completions()).total.tolist() == pytest.approx(expected, abs=1e-5)


def test_a_reward_model_of_other_tokens_reads_the_texts():
    model, tokenizer = make_reward_model(), make_tokenizer(OTHER)
    reward = ModelReward(model, tokenizer, make_tokenizer(), batch_size=8)
    assert not reward.reads_ids
    expected = [
        score_alone(model, [*tokenizer("abxy")["input_ids"], 1]),
        score_alone(model, tokenizer("czzz")["input_ids"]),
    ]
    assert reward(ROWS, completions()).total.tolist() == pytest.approx(expected, abs=1e-5)


def test_a_reward_model_of_other_tokens_uses_its_chat_template():
    model, tokenizer = make_reward_model(), make_tokenizer(OTHER, TEMPLATE)
    reward = ModelReward(model, tokenizer, make_tokenizer(), batch_size=8)
    rows = [{"prompt": [{"role": "user", "content": row["prompt"]}]} for row in ROWS]
    expected = [score_alone(model, tokenizer(text)["input_ids"]) for text in ("u ab a xy ", "u c a zzz ")]
    assert reward(rows, completions()).total.tolist() == pytest.approx(expected, abs=1e-5)
    with pytest.raises(ModelError, match="chat template"):
        ModelReward(model, make_tokenizer(OTHER), make_tokenizer(), batch_size=8)(rows, completions())


def test_a_reward_model_that_is_no_longer_finite_stops_the_run():
    model = make_reward_model()
    with torch.no_grad():
        model.score.weight.fill_(math.nan)
    with pytest.raises(RunError, match="scored nan for the prompt 'ab' and the completion 'xy'"):
        ModelReward(model, None, make_tokenizer(), batch_size=8)(ROWS, completions())


def test_a_reward_is_one_number():
    with pytest.raises(ModelError, match="has 3 labels"):
        ModelReward(make_reward_model(num_labels=3), None, make_tokenizer(), batch_size=8)


def test_texts_beyond_the_reward_models_context_are_refused():
    model = make_reward_model(max_position_embeddings=4)
    with pytest.raises(RunError, match="reads 4 tokens at most"):
        ModelReward(model, None, make_tokenizer(), batch_size=8)(ROWS, completions())
