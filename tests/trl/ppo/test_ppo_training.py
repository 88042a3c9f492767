"""Training as a whole: it learns, keeps to its settings, and says what it does."""

import math

import pytest
import torch
from ppo_tiny import (
    LETTERS,
    TEMPLATE,
    configuration,
    logged,
    make_config,
    make_dataset,
    make_policy,
    make_reward_model,
    make_tokenizer,
    make_trainer,
    share_of_a,
)
from transformers import LlamaForCausalLM, TrainerCallback

from aligntune_core.errors import DataError, JobError, RewardError, RunError


def rise(trainer):
    rewards = logged(trainer, "reward/mean")
    return sum(rewards[-3:]) / 3 - rewards[0]


def flat(module):
    return torch.cat([weight.detach().flatten().clone() for weight in module.parameters() if weight.requires_grad])


@pytest.mark.parametrize("lora", [False, True])
@pytest.mark.parametrize("learning_rate", [5e-3, 0.0])
def test_the_reward_rises_if_and_only_if_something_is_learned(lora, learning_rate, tmp_path):
    trainer = make_trainer(
        tmp_path, policy=make_policy(lora=lora), max_steps=20, learning_rate=learning_rate, kl_coef=0.0
    )
    trainer.train()
    assert (rise(trainer) > 0.3) is (learning_rate > 0)
    if not learning_rate:
        assert abs(rise(trainer)) < 0.1


def likes_a(model):
    """A reward model that scores the share of "a" among the last tokens it sees, more or less: its last token."""
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        vocabulary = make_tokenizer(LETTERS).get_vocab()
        model.model.embed_tokens.weight.normal_(std=0.1)
        model.model.embed_tokens.weight[vocabulary["a"]] = model.score.weight[0] * 10
    return model


@pytest.mark.parametrize("lora", [False, True])
@pytest.mark.parametrize("own_tokenizer", [False, True])
def test_it_learns_from_a_reward_model(own_tokenizer, lora, tmp_path):
    reward_model = likes_a(make_reward_model())
    given = {"reward_model": reward_model}
    if own_tokenizer:
        given["reward_processing_class"] = make_tokenizer(LETTERS[:20], TEMPLATE)
    before = flat_all(reward_model)
    trainer = make_trainer(
        tmp_path, policy=make_policy(lora=lora), trainer=given, max_steps=20, kl_coef=0.0, temperature=1.0
    )
    assert trainer.value_model.origin == ("the policy" if own_tokenizer else "the reward model")
    trainer.train()
    rewards = logged(trainer, "reward/mean")
    assert sum(rewards[-3:]) / 3 > rewards[0] + 0.5 * logged(trainer, "reward/std")[0]
    assert torch.equal(flat_all(reward_model), before)


def flat_all(module):
    return torch.cat([weight.detach().flatten().clone() for weight in module.parameters()])


def test_a_step_is_one_rollout_and_all_its_updates(tmp_path):
    class Count(TrainerCallback):
        updates = steps = 0

        def on_optimizer_step(self, args, state, control, **kwargs):
            self.updates += 1

        def on_step_end(self, args, state, control, **kwargs):
            self.steps += 1

    asked = []

    def reward(prompts, number, **_):
        asked.append(sorted(number))
        return [0.0] * len(prompts)

    count = Count()
    trainer = make_trainer(
        tmp_path,
        reward_functions=[reward],
        rows=20,
        trainer={"callbacks": [count]},
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        num_ppo_epochs=3,
        num_mini_batches=2,
        num_train_epochs=1,
        lr_scheduler_type="linear",
    )
    trainer.train()
    assert trainer.state.global_step == count.steps == 3
    assert count.updates == 3 * 3 * 2
    assert [len(numbers) for numbers in asked] == [8, 8, 4]
    assert sorted(number for numbers in asked for number in numbers) == list(range(20))
    rates = logged(trainer, "learning_rate")
    assert [rate / 5e-3 for rate in rates] in (pytest.approx([1, 2 / 3, 1 / 3]), pytest.approx([2 / 3, 1 / 3, 0]))


@pytest.mark.parametrize("mini_batches", [1, 2])
def test_passes_of_any_size_make_the_same_update(mini_batches, tmp_path):
    weights = []
    for size in (16, 4):
        trainer = make_trainer(
            tmp_path,
            per_device_train_batch_size=size,
            gradient_accumulation_steps=16 // size,
            num_mini_batches=mini_batches,
            max_steps=2,
            optim="sgd",
            learning_rate=0.1,
        )
        start = flat(trainer.model)
        trainer.train()
        weights.append(flat(trainer.model) - start)
    assert weights[0].norm() > 1e-3
    assert (weights[0] - weights[1]).norm() < 1e-3 * weights[0].norm()


@pytest.mark.parametrize("limit", [1e-3, 0.0])
def test_gradients_are_clipped_in_every_update(limit, tmp_path):
    trainer = make_trainer(
        tmp_path, max_steps=1, num_mini_batches=4, optim="sgd", learning_rate=1.0, max_grad_norm=limit
    )
    start = flat(trainer.model)
    trainer.train()
    moved = (flat(trainer.model) - start).norm().item()
    updates = 4 * 4
    assert (0 < moved <= limit * updates * 1.001) is (limit > 0)


def test_what_is_logged(tmp_path):
    def half(prompts, **_):
        return [0.5] * len(prompts)

    trainer = make_trainer(
        tmp_path, reward_functions=[share_of_a, half], trainer={"reward_weights": [1.0, 2.0]}, max_steps=2
    )
    trainer.train()
    first, second = trainer.state.log_history[:2]
    figures = {
        "loss", "grad_norm", "learning_rate", "reward/mean", "reward/std", "reward/share_of_a/mean", "reward/half/mean",
        "kl", "approx_kl", "entropy", "clip_fraction", "value_clip_fraction", "policy_loss", "value_loss",
        "explained_variance", "ratio", "completion/mean_length", "completion/eos_share",
    }  # fmt: skip
    assert figures <= set(first)
    assert all(math.isfinite(first[name]) for name in figures)
    assert first["kl"] == 0
    assert second["kl"] != 0
    assert first["reward/half/mean"] == 0.5
    assert first["reward/mean"] == pytest.approx(first["reward/share_of_a/mean"] + 1)
    assert 1 <= first["completion/mean_length"] <= 8
    assert 0 < first["entropy"] < math.log(30)
    assert first["loss"] == pytest.approx(first["policy_loss"] + 0.1 * first["value_loss"], abs=1e-4)


def test_logs_are_means_over_the_rollouts_between_them(tmp_path):
    every = make_trainer(tmp_path, max_steps=4, num_mini_batches=2, logging_steps=1)
    every.train()
    seldom = make_trainer(tmp_path, max_steps=4, num_mini_batches=2, logging_steps=4)
    seldom.train()
    for name in ("reward/mean", "kl", "policy_loss", "loss", "entropy", "completion/mean_length"):
        values = logged(every, name)
        assert logged(seldom, name) == [pytest.approx(sum(values) / 4, abs=1e-4)]


def test_a_first_update_starts_at_ratio_one(tmp_path):
    trainer = make_trainer(tmp_path, max_steps=1, num_ppo_epochs=1, temperature=0.7)
    trainer.train()
    assert logged(trainer, "ratio") == [pytest.approx(1, abs=1e-5)]
    assert logged(trainer, "clip_fraction") == [0]


@pytest.mark.parametrize("lora", [False, True])
def test_dropout_acts_in_updates_and_not_in_sampling(lora, tmp_path):
    policy = make_policy(lora=lora, dropout=0.5)
    if lora:
        with torch.no_grad():
            for name, weight in policy.named_parameters():
                if "lora_B" in name:
                    weight.normal_(std=0.1)
    trainer = make_trainer(tmp_path, policy=policy, max_steps=1, num_ppo_epochs=1)
    trainer.train()
    assert logged(trainer, "kl") == [0]
    assert logged(trainer, "approx_kl")[0] > 1e-3


def test_a_reward_that_is_no_number_stops_the_run(tmp_path):
    def broken(prompts, **_):
        return [math.nan] * len(prompts)

    with pytest.raises(RewardError, match="'broken' returned NaN"):
        make_trainer(tmp_path, reward_functions=[broken], max_steps=1).train()


@pytest.mark.filterwarnings("ignore")
def test_weights_that_are_no_numbers_stop_the_run(tmp_path):
    trainer = make_trainer(tmp_path, max_steps=5, learning_rate=1e30, max_grad_norm=0, optim="sgd")
    with pytest.raises(RunError, match=r"no longer finite|loss is"):
        trainer.train()
    with torch.no_grad():
        next(trainer.policy.parameters()).fill_(math.nan)
    with pytest.raises(RunError, match="no longer finite"):
        trainer.save_model()


@pytest.mark.parametrize("penalty", [1.0, None])
def test_a_penalty_makes_completions_end(penalty, tmp_path):
    def nothing(prompts, **_):
        return [0.0] * len(prompts)

    trainer = make_trainer(tmp_path, reward_functions=[nothing], max_steps=15, missing_eos_penalty=penalty, kl_coef=0.0)
    trainer.train()
    shares = logged(trainer, "completion/eos_share")
    assert (sum(shares[-3:]) / 3 > shares[0] + 0.3) is (penalty is not None)
    assert set(logged(trainer, "reward/mean")) == {0.0}


@pytest.mark.parametrize("estimator", ["k1", "k3"])
def test_a_stronger_pull_keeps_the_policy_nearer_to_the_reference(estimator, tmp_path):
    final = []
    for kl_coef in (0.0, 0.3):
        trainer = make_trainer(tmp_path, max_steps=15, kl_coef=kl_coef, kl_estimator=estimator)
        trainer.train()
        final.append(sum(logged(trainer, "kl")[-3:]) / 3)
    assert final[0] > 3
    assert final[1] < 0.6 * final[0]


def test_a_given_reference_is_what_the_policy_is_pulled_towards(tmp_path):
    trainer = make_trainer(tmp_path, trainer={"ref_model": make_policy(seed=9)}, max_steps=1)
    trainer.train()
    assert logged(trainer, "kl")[0] > 1


@pytest.mark.parametrize("lora", [False, True])
def test_the_policy_is_saved_as_transformers_and_peft_load_it(lora, tmp_path):
    trainer = make_trainer(tmp_path / "run", policy=make_policy(lora=lora), max_steps=2)
    trainer.train()
    trainer.save_model(str(tmp_path / "saved"))
    if lora:
        from peft import PeftModel

        loaded = PeftModel.from_pretrained(make_policy(), tmp_path / "saved")
    else:
        loaded = LlamaForCausalLM.from_pretrained(tmp_path / "saved")
    ids = torch.tensor([[5, 6, 7]])
    torch.testing.assert_close(loaded.eval()(ids).logits, trainer.policy.eval()(ids).logits)
    assert not (tmp_path / "saved" / "value_model").exists()
    assert (tmp_path / "saved" / "tokenizer_config.json").exists()


def test_the_best_checkpoint_is_loaded_at_the_end(tmp_path):
    trainer = make_trainer(
        tmp_path,
        trainer={"eval_dataset": make_dataset(8)},
        max_steps=4,
        save_strategy="steps",
        save_steps=1,
        eval_strategy="steps",
        eval_steps=1,
        load_best_model_at_end=True,
    )
    trainer.train()
    rewards = logged(trainer, "eval_reward/mean")
    assert trainer.state.best_metric == max(rewards)
    assert trainer.evaluate()["eval_reward/mean"] == pytest.approx(max(rewards))


def test_evaluation_reports_and_repeats_itself(tmp_path):
    trainer = make_trainer(tmp_path, trainer={"eval_dataset": make_dataset(11)}, per_device_eval_batch_size=4)
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = trainer.evaluate()
    assert torch.equal(torch.get_rng_state(), state)
    names = [
        "reward/mean",
        "reward/std",
        "reward/share_of_a/mean",
        "kl",
        "completion/mean_length",
        "completion/eos_share",
    ]
    torch.manual_seed(6)
    second = trainer.evaluate()
    assert [first[f"eval_{name}"] for name in names] == [second[f"eval_{name}"] for name in names]
    assert first["eval_kl"] == 0


def test_evaluation_does_not_change_training(tmp_path):
    weights = []
    for when in ("no", "steps"):
        given = {"eval_dataset": make_dataset(8)}
        trainer = make_trainer(tmp_path, trainer=given, max_steps=2, eval_strategy=when, eval_steps=1)
        trainer.train()
        weights.append(flat(trainer.model))
    assert torch.equal(*weights)


def test_messages_are_answered(tmp_path):
    rows = [{"prompt": [{"role": "user", "content": letter}]} for letter in "abcdefgh"]
    seen = []

    def reward(prompts, completions):
        seen.extend(zip(prompts, completions, strict=True))
        return [1.0] * len(prompts)

    given = {"train_dataset": rows, "processing_class": make_tokenizer(template=TEMPLATE)}
    make_trainer(tmp_path, reward_functions=[reward], trainer=given, max_steps=1).train()
    prompt, completion = seen[0]
    assert prompt[0]["role"] == "user"
    assert completion[0]["role"] == "assistant"


def test_the_value_model_can_have_its_own_learning_rate(tmp_path):
    trainer = make_trainer(tmp_path, max_steps=1, learning_rate=0.0, value_learning_rate=1e-2)
    policy, values = flat(trainer.policy), flat(trainer.value_model)
    trainer.train()
    assert torch.equal(flat(trainer.policy), policy)
    assert not torch.equal(flat(trainer.value_model), values)


@pytest.mark.parametrize("lora", [False, True])
def test_recomputing_activations_changes_no_gradient(lora, tmp_path):
    weights = []
    for recompute in (False, True):
        policy = make_policy(lora=lora)
        trainer = make_trainer(
            tmp_path, policy=policy, max_steps=1, gradient_checkpointing=recompute, optim="sgd", learning_rate=0.1
        )
        start = flat(trainer.model)
        trainer.train()
        assert not torch.equal(flat(trainer.policy), start[: len(flat(trainer.policy))])
        weights.append(flat(trainer.model))
    torch.testing.assert_close(weights[0], weights[1])


def test_bf16_learns(tmp_path):
    trainer = make_trainer(tmp_path, max_steps=15, bf16=True, kl_coef=0.0)
    trainer.train()
    assert next(trainer.policy.parameters()).dtype == torch.float32
    assert rise(trainer) > 0.15


def test_whitened_rewards_are_learned_from(tmp_path):
    trainer = make_trainer(tmp_path, max_steps=15, whiten_rewards=True, kl_coef=0.0, clip_range_value=None)
    trainer.train()
    assert rise(trainer) > 0.15


def test_settings_that_make_no_sense_are_all_named(tmp_path):
    with pytest.raises(JobError) as caught:
        make_config(tmp_path, clip_range=0, gamma=1.5, kl_estimator="k2", num_mini_batches=99, temperature=-1)
    keys = {problem.key for problem in caught.value.problems}
    assert keys == {"clip_range", "gamma", "kl_estimator", "num_mini_batches", "temperature"}


def test_prompts_that_leave_no_room_are_refused_beforehand(tmp_path):
    with pytest.raises(DataError, match="leaves 4 beside a completion"):
        make_trainer(tmp_path, trainer={"train_dataset": [{"prompt": "abcde"}]}, max_completion_length=60)
    make_trainer(
        tmp_path, trainer={"train_dataset": [{"prompt": "abcde"}]}, max_completion_length=60, max_prompt_length=4
    )


@pytest.mark.parametrize("both", [False, True])
def test_there_is_one_source_of_reward(both, tmp_path):
    given = {"reward_model": make_reward_model() if both else None}
    with pytest.raises(RewardError, match="not both"):
        make_trainer(tmp_path, trainer={**given, "reward_functions": [share_of_a] if both else None})


def test_the_tiny_policy_is_tiny():
    assert LlamaForCausalLM(configuration()).num_parameters() < 100_000
