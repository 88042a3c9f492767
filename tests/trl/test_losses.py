"""Each algorithm of the GRPO family is what its paper says: losses, advantages and settings, on fixed numbers."""

from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np
import pytest
import torch
from loss_references import LIMIT, LOSSES, Completion
from trl_runs import GROUPED, LABELLED, PROMPTS, build, build_online

from aligntune_trl.translation.recipes import RECIPES

WIDTH = 5


def completions(seed, sizes, moves):
    """Completions whose tokens' log-probabilities moved by about so much since they were sampled."""
    numbers = np.random.default_rng(seed)
    batch = []
    for advantage, size, move in zip((1.3, -0.7, 0.4, -1.0), sizes, moves, strict=True):
        old = numbers.uniform(-3.0, -0.2, size)
        new, ref = old + numbers.normal(0, move, size), old + numbers.normal(0, 0.5, size)
        batch.append(Completion(advantage, new, old, ref))
    return batch


def far():
    """Ratios far beyond every clip range, one of them above 5 with an advantage of each sign."""
    batch = completions(1, (5, 3, 1, 4), (0.4, 0.4, 0.3, 0.4))
    for row in (0, 1):
        batch[row].new[0] = batch[row].old[0] + 1.9
    return batch


def between():
    """Single tokens between the clip ranges of GRPO and DAPO: ratios of 1.25."""
    batch = completions(2, (3, 2, 2, 4), (0.05, 0.05, 0.05, 0.05))
    for row in (0, 2):
        batch[row].new[1] = batch[row].old[1] + np.log(1.25)
    return batch


def near():
    """Whole answers' ratios inside GSPO's range, between its two ends (1 + 3.5e-4, 1 - 3.5e-4), and beyond."""
    batch = completions(3, (5, 3, 2, 4), (0.0, 0.0, 0.0, 0.0))
    for completion, mean in zip(batch, (1e-4, -3.5e-4, 3.5e-4, -1e-3), strict=True):
        wobble = np.linspace(-1e-3, 1e-3, len(completion))
        completion.new[:] = completion.old + mean + wobble
    return batch


BATCHES = {"far": far(), "between": between(), "near": near()}


def padded(rows, fill=0.0):
    return torch.tensor(np.array([[*row, *[fill] * (WIDTH - len(row))] for row in rows]), dtype=torch.float64)


def tensors(batch, tokens=None):
    """A batch as TRL's loss takes it; what stands behind a completion's end may not count."""
    mask = padded([np.ones(len(completion)) for completion in batch]).long()
    return {
        "prompt_ids": torch.full((len(batch), 3), 4),
        "prompt_mask": torch.ones(len(batch), 3, dtype=torch.long),
        "completion_ids": torch.full((len(batch), WIDTH), 5),
        "completion_mask": mask,
        "advantages": torch.tensor([completion.advantage for completion in batch], dtype=torch.float64),
        "old_per_token_logps": padded([completion.old for completion in batch], -2.0),
        "ref_per_token_logps": padded([completion.ref for completion in batch], -0.5),
        "num_items_in_batch": torch.tensor(tokens or int(mask.sum())),
    }


def loss_and_gradient(native, batch, accumulated=1, tokens=None):
    """TRL's loss of a batch, with the policy's log-probabilities given, and its gradient by them."""
    logps = padded([completion.new for completion in batch], -1.0).requires_grad_()
    original = type(native)._get_per_token_logps_and_entropies

    def given(model, *arguments, **keywords):
        return (logps, *original(native, model, *arguments, **keywords)[1:])

    native._get_per_token_logps_and_entropies = given
    native.current_gradient_accumulation_steps = accumulated
    native.model.train()
    try:
        loss = native._compute_loss(native.model, tensors(batch, tokens))
    finally:
        del native._get_per_token_logps_and_entropies
    (gradient,) = torch.autograd.grad(loss, logps)
    return loss.item(), gradient.numpy()


def reference_gradient(loss, batch):
    """The reference's gradient, by central differences."""
    step, gradient = 1e-6, np.zeros((len(batch), WIDTH))
    for row, completion in enumerate(batch):
        for token in range(len(completion)):
            moved = []
            for sign in (1, -1):
                new = completion.new.copy()
                new[token] += sign * step
                changed = replace(completion, new=new, still=completion.new)
                moved.append([*batch[:row], changed, *batch[row + 1 :]])
            up, down = map(loss, moved)
            gradient[row, token] = (up - down) / (2 * step)
    return gradient


@pytest.fixture(scope="module")
def native(letters, tmp_path_factory):
    """TRL's own trainer as AlignTune sets it up, by algorithm and settings."""

    @cache
    def made(algorithm, **settings):
        folder = tmp_path_factory.mktemp(algorithm)
        run = build_online(algorithm, letters, output_dir=str(folder), max_completion_length=LIMIT, **settings)
        return run.trainer.native

    return made


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize("algorithm", LOSSES)
def test_loss_and_gradient_are_the_papers(algorithm, name, native):
    batch = BATCHES[name]
    loss, gradient = loss_and_gradient(native(algorithm), batch)
    assert loss == pytest.approx(LOSSES[algorithm](batch), rel=1e-6)
    np.testing.assert_allclose(gradient, reference_gradient(LOSSES[algorithm], batch), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("one", "other"), list(combinations(LOSSES, 2)))
def test_the_references_tell_any_two_apart(one, other):
    differences = [abs(LOSSES[one](batch) - LOSSES[other](batch)) for batch in BATCHES.values()]
    assert max(differences) > 1e-3


def mean(loss, first, second):
    return (loss(first) + loss(second)) / 2


def together(loss, first, second):
    return loss([*first, *second])


ACCUMULATED = {**dict.fromkeys(LOSSES, mean), "dapo": together, "cispo": together}
"""What two forward passes of one step add up to: means of answers and of batches, or one mean over all tokens."""


@pytest.mark.parametrize("algorithm", LOSSES)
def test_accumulated_gradients_keep_each_algorithms_mean(algorithm, native):
    first, second = BATCHES["far"], BATCHES["between"][:3]
    tokens = sum(map(len, [*first, *second]))
    trainer = native(algorithm, gradient_accumulation_steps=2)
    periods = trainer.args.steps_per_generation // 2  # the count of tokens spans all steps of one generation
    losses = [loss_and_gradient(trainer, batch, 2, tokens * periods)[0] for batch in (first, second)]
    assert sum(losses) == pytest.approx(ACCUMULATED[algorithm](LOSSES[algorithm], first, second), rel=1e-6)


def test_rloo_is_reinforce_on_whole_answers(native):
    """arXiv 2402.14740, equation 1: the gradient of each token's log-probability is its answer's advantage."""
    batch, trainer = BATCHES["far"], native("rloo")
    logps = padded([completion.new for completion in batch], -1.0).requires_grad_()
    original = type(trainer)._get_per_token_logps_and_entropies

    def given(*arguments, **keywords):
        return (logps, *original(trainer, *arguments, **keywords)[1:])

    inputs = tensors(batch)
    mask = inputs["completion_mask"]
    inputs["old_logps"] = (logps * mask).sum(1).detach()
    trainer._get_per_token_logps_and_entropies = given
    try:
        loss = trainer._compute_loss(trainer.model, inputs)
    finally:
        del trainer._get_per_token_logps_and_entropies
    (gradient,) = torch.autograd.grad(loss, logps)
    torch.testing.assert_close(gradient, -inputs["advantages"][:, None] * mask / len(batch))


def test_rloo_takes_the_distance_from_the_reference_off_the_reward(letters, tmp_path, monkeypatch):
    """arXiv 2402.14740, section 2: r - beta log(policy / reference), summed over the answer."""
    from trl import RLOOTrainer

    original = RLOOTrainer._get_per_token_logps_and_entropies

    def shifted(self, model, *arguments, **keywords):
        logps, *rest = original(self, model, *arguments, **keywords)
        return (logps - 2.0 if model is self.ref_model else logps, *rest)

    monkeypatch.setattr(RLOOTrainer, "_get_per_token_logps_and_entropies", shifted)
    _, output = scored("rloo", letters, tmp_path)
    lengths = output["completion_mask"].sum(dim=1).tolist()
    rewards = [
        reward - 0.05 * 2.0 * length
        for reward, length in zip([reward for group in REWARDS for reward in group], lengths, strict=True)
    ]
    expected = [*leave_one_out(rewards[:4]), *leave_one_out(rewards[4:])]
    assert output["advantages"].tolist() == pytest.approx(expected, rel=1e-5, abs=1e-5)


REWARDS = ((3.0, 1.0, 0.5, 2.0), (-1.0, 4.0, -1.5, 0.0))


def normalised(group):
    return [(reward - np.mean(group)) / (np.std(group, ddof=1) + 1e-4) for reward in group]


def centred(group):
    return [reward - np.mean(group) for reward in group]


def leave_one_out(group):
    return [reward - (sum(group) - reward) / (len(group) - 1) for reward in group]


ADVANTAGES = {**dict.fromkeys(GROUPED, normalised), "dr_grpo": centred, "rloo": leave_one_out}


def scored(algorithm, letters, folder, **job):
    """What TRL makes of a batch of two prompts whose answers get the rewards above."""

    def fixed(completions, **_):
        return [reward for group in REWARDS for reward in group][: len(completions)]

    settings = {"num_generations": 4, "batch_size": 2, "reward_functions": [fixed], "output_dir": str(folder), **job}
    native = build_online(algorithm, letters, **settings).trainer.native
    native.model.train()
    rows = [dict(row) for row in PROMPTS[:2] for _ in range(4)]
    return native, native._generate_and_score_completions(rows)


@pytest.mark.parametrize("algorithm", GROUPED)
def test_advantages_are_the_papers(algorithm, letters, tmp_path):
    # the punishment for length is a reward of its own, tried below
    own = {"backend_args": {"overlong_punishment": False}} if algorithm == "dapo" else {}
    _, output = scored(algorithm, letters, tmp_path, **own)
    expected = [value for group in REWARDS for value in ADVANTAGES[algorithm](group)]
    assert output["advantages"].tolist() == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_dapo_punishes_length_as_a_further_reward(letters, tmp_path):
    """arXiv 2503.14476, equation 13, with a fifth of the longest answer as the soft part."""
    limit = 10
    native, output = scored("dapo", letters, tmp_path, max_completion_length=limit)
    assert native.reward_func_names == ["fixed", "soft_overlong"]
    # the mask of a truncated answer is empty, so its length is told by the tokens
    lengths = [row.tolist().index(1) + 1 if 1 in row.tolist() else limit for row in output["completion_ids"]]
    assert len(set(lengths)) > 2
    punished = [
        reward + min(0.0, max(-1.0, (limit - 2 - length) / 2))
        for reward, length in zip([reward for group in REWARDS for reward in group], lengths, strict=True)
    ]
    expected = [*normalised(punished[:4]), *normalised(punished[4:])]
    assert output["advantages"].tolist() == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize(("algorithm", "masked"), [("dapo", True), ("grpo", False), ("rloo", False)])
def test_dapo_alone_leaves_truncated_answers_out(algorithm, masked, letters, tmp_path):
    _, output = scored(algorithm, letters, tmp_path)
    ids, mask = output["completion_ids"], output["completion_mask"]
    truncated = (ids != 1).all(dim=1)
    assert 0 < truncated.sum() < len(ids)
    assert (mask.sum(dim=1) > 0).tolist() == [not (masked and cut) for cut in truncated]


@pytest.mark.parametrize("algorithm", GROUPED)
def test_only_gspo_reuses_completions(algorithm, letters, tmp_path):
    native, output = scored(algorithm, letters, tmp_path, batch_size=1)
    reused = algorithm == "gspo"
    assert native.args.steps_per_generation == (4 if reused else 1)
    if algorithm != "rloo":
        assert ("old_per_token_logps" in output) is reused


def offline(algorithm, folder, **job):
    data = {"sft": "builtin:instructions", "kto": LABELLED}.get(algorithm, "builtin:preferences")
    return build(algorithm, "builtin:tiny", data, output_dir=str(folder), max_samples=16, **job).trainer.native


@pytest.mark.parametrize("algorithm", [name for name in RECIPES if name != "ppo"])
def test_every_setting_of_a_recipe_reaches_the_trainer(algorithm, letters, tmp_path):
    if algorithm in GROUPED:
        settings = {"reward_functions": ["length(target=3)"], "output_dir": str(tmp_path)}
        native = build(algorithm, letters, PROMPTS, batch_size=1, **settings).trainer.native
    else:
        native = offline(algorithm, tmp_path)
    expected = RECIPES[algorithm].settings
    assert {name: getattr(native.args, name) for name in expected} == expected
    if algorithm in GROUPED:
        generation = native.generation_config
        assert (generation.temperature, generation.top_p, generation.repetition_penalty) == (1.0, 1.0, 1.0)
        assert not generation.top_k
        assert generation.max_new_tokens == 512
        assert native.beta == expected["beta"]
        assert native.num_generations == native.args.per_device_train_batch_size == 8


USERS = {
    "loss_type": "dapo",
    "scale_rewards": "none",
    "importance_sampling_level": "sequence",
    "epsilon": 0.1,
    "epsilon_high": 0.3,
    "mask_truncated_completions": True,
    "top_k": 5,
    "steps_per_generation": 2,
}


def test_what_a_user_sets_wins(letters, tmp_path):
    job = {"beta": 0.5, "temperature": 0.7, "num_generations": 4, "max_completion_length": 6}
    native = build_online("grpo", letters, output_dir=str(tmp_path), backend_args=USERS, **job).trainer.native
    wanted = {**USERS, **job}
    assert {name: getattr(native.args, name) for name in wanted} == wanted
    assert (native.epsilon_low, native.epsilon_high, native.beta, native.temperature) == (0.1, 0.3, 0.5, 0.7)
    assert (native.generation_config.top_k, native.generation_config.max_new_tokens) == (5, 6)


def test_what_a_user_sets_wins_offline(tmp_path):
    native = offline("dpo", tmp_path, beta=0.3, max_seq_length=48, backend_args={"loss_type": ["hinge"]})
    assert (native.args.beta, native.args.max_length, native.args.loss_type) == (0.3, 48, ["hinge"])
