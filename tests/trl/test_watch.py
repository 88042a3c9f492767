"""What is said while a run goes on without learning anything good, and that nothing is said of a good one."""

from __future__ import annotations

import time
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from packaging.version import Version
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl_runs import DATA, GROUPED, LABELLED, PROMPTS, build, build_online, share_of_a, trained

from aligntune_core import RunError
from aligntune_core.kit.watch import Watch
from aligntune_core.kit.watchers import WATCHERS, watchers_of
from aligntune_trl.translation.recipes import RECIPES

PAGE = Path(__file__).parents[2] / "docs" / "jobs.md"
SIGNS = [
    ("grpo", {"frac_reward_zero_std": 1.0}, {"frac_reward_zero_std": 0.99}, 20, 1),
    ("rloo", {"reward_std": 0.0}, {"reward_std": 0.01}, 20, 1),
    ("ppo", {"reward/std": 0.0}, {"reward/std": 0.01}, 20, 1),
    ("dapo", {"completions/clipped_ratio": 1.0}, {"completions/clipped_ratio": 0.98}, 20, 1),
    ("ppo", {"completion/eos_share": 0.0}, {"completion/eos_share": 0.02}, 20, 1),
    ("gspo", {"entropy": 0.0009}, {"entropy": 0.01}, 10, 1),
    ("ppo", {"entropy": 0.0}, {"entropy": 0.01}, 10, 1),
    ("grpo", {"kl": 10.5}, {"kl": 9.0}, 5, 3),
    ("ppo", {"kl": 84.0, "completion/mean_length": 8.0}, {"kl": 84.0, "completion/mean_length": 9.0}, 5, 3),
    ("sft", {"grad_norm": 0.0}, {"grad_norm": 1e-9}, 10, 3),
    ("kto", {"grad_norm": 0.0}, {"grad_norm": 1e-9}, 10, 3),
    ("ppo", {"grad_norm": 0.0}, {"grad_norm": 1e-9}, 10, 3),
    ("dpo", {"loss": 0.6931}, None, 20, 10),
]
"""An algorithm, a sign, what is nearly one, the steps and the logs in a row after which it is told."""


class Log:
    """A watch that is given logs, and what it says at which step."""

    def __init__(self, algorithm, *, first=0, every=1):
        self.said = []
        self.step, self.every = first, every
        self.watch = Watch(watchers_of(algorithm), lambda event: self.said.append((self.step, event.message)))
        self.watch.begin(first)

    def give(self, metrics, times=1, loss=None):
        for _ in range(times):
            self.step += self.every
            self.watch.look(self.step, {"loss": self.step * 1.1 if loss is None else loss, **metrics})
        return self

    def steps(self):
        return [step for step, _ in self.said]


@pytest.mark.parametrize(("algorithm", "sign", "near", "steps", "logs"), SIGNS)
def test_a_sign_is_told_when_it_has_lasted(algorithm, sign, near, steps, logs):
    assert Log(algorithm).give(sign, steps - 1).said == []
    assert Log(algorithm).give(sign, steps).steps() == [steps]
    if near:
        assert Log(algorithm).give(near, 300).said == []
        assert Log(algorithm).give(sign, steps - 1).give(near).give(sign, steps - 1).said == []
    wide = Log(algorithm, every=100).give(sign, logs - 1)
    assert wide.said == []
    assert wide.give(sign).steps() == [100 * logs]


@pytest.mark.parametrize(("algorithm", "sign", "near", "steps"), [row[:4] for row in SIGNS])
def test_it_is_told_again_only_if_it_goes_on_for_much_longer(algorithm, sign, near, steps):
    log = Log(algorithm).give(sign, 110 * steps)
    assert log.steps() == [steps, 10 * steps, 100 * steps]
    if near:
        again = Log(algorithm).give(sign, steps).give(near).give(sign, 9 * steps)
        assert again.steps() == [steps]


def test_what_is_said_names_the_step_how_long_and_what_to_do():
    ((_, said),) = Log("grpo", first=100).give({"kl": 0.1}, 3).give({"kl": 12.34}, 5).said
    assert said == (
        "step 108: the policy is 12.3 nats a token away from the reference model, and has been at least 10 nats away "
        "for 5 steps. Lower learning_rate, or raise beta."
    )


def test_a_log_that_does_not_tell_of_a_sign_neither_ends_nor_lengthens_it():
    log = Log("gspo")
    for _ in range(5):
        log.give({"frac_reward_zero_std": 1.0}).give({}, 3)
    assert log.said == []
    assert log.give({"frac_reward_zero_std": 1.0}).steps() == [21]


def test_an_evaluation_and_the_last_summary_are_not_looked_at():
    log = Log("sft")
    for logs in ({"eval_loss": 0.0, "grad_norm": 0.0}, {"train_loss": 0.0, "grad_norm": 0.0}):
        for _ in range(50):
            log.watch.look(50, logs)
    assert log.said == []


def test_a_loss_of_nothing_at_once():
    assert Log("sft").give({}, loss=0.0004).steps() == [1]
    assert Log("sft", every=50).give({}, 3, loss=0.0004).steps() == [50]
    assert Log("sft").give({}, loss=0.0006).give({}, 5, loss=0.0001).said == []
    assert Log("sft", first=10).give({}, loss=0.0004).said == []
    assert Log("dpo").give({}, loss=0.0004).said == []


def test_one_cause_is_told_once():
    stuck = {"grad_norm": 0.0}
    assert [step for step, _ in Log("dpo").give(stuck, 60, loss=0.6931).said] == [10]
    collapsed = {"entropy": 0.0, "frac_reward_zero_std": 1.0}
    assert Log("grpo").give(collapsed, 60).steps() == [10]
    assert Log("ppo").give({"grad_norm": 0.0, "reward/std": 0.0}, 60).steps() == [10]


def test_every_algorithm_is_watched():
    assert all(watchers_of(algorithm) for algorithm in RECIPES)
    assert {algorithm for watcher in WATCHERS for algorithm in watcher.algorithms} == set(RECIPES)


def test_what_a_watcher_gives_way_to_stands_before_it():
    for number, watcher in enumerate(WATCHERS):
        before = {each.name for each in WATCHERS[:number] if each.algorithms & watcher.algorithms}
        assert set(watcher.within) <= before


@pytest.mark.parametrize("algorithm", RECIPES)
def test_the_engine_logs_what_is_watched(algorithm, letters, tmp_path):
    job = {"output_dir": str(tmp_path), "max_steps": 1, "batch_size": 2, "learning_rate": 1e-4}
    if algorithm in GROUPED:
        run = build_online(algorithm, letters, beta=0.04, **job)
    elif algorithm == "ppo":
        run = build("ppo", letters, PROMPTS, reward_functions=[share_of_a], max_completion_length=8, **job)
    else:
        run = build(algorithm, letters, LABELLED if algorithm == "kto" else DATA[algorithm], **job)
    logged = trained(run).trainer.native.state.log_history[0]
    for watcher in watchers_of(algorithm):
        assert isinstance(logged[watcher.metric], int | float)
        assert not watcher.per or logged[watcher.per] > 0


def equal(completions, **_):
    return [1.0] * len(completions)


def only(run, *, stops=False):
    """The one warning of a run, which may end with the error that it did nothing."""
    if stops:
        with pytest.raises(RunError, match="nothing was learned"):
            run.trainer.train()
    else:
        run.trainer.train()
    (said,) = run.warnings()
    return said


@pytest.mark.parametrize("algorithm", ["grpo", "dr_grpo", "rloo"])
def test_constant_rewards(algorithm, letters, tmp_path):
    job = {"output_dir": str(tmp_path), "reward_functions": [equal], "batch_size": 1, "max_steps": 22}
    said = only(build_online(algorithm, letters, **job), stops=True)
    assert said.startswith("step 20: in the last 20 steps ")
    assert "equal rewards" in said
    assert "Use prompts that are harder or easier" in said


def of_the_prompt(prompts, **_):
    return [float(len(prompt)) for prompt in prompts]


def test_groups_of_equal_rewards_though_the_groups_differ(letters, tmp_path):
    job = {"output_dir": str(tmp_path), "reward_functions": [of_the_prompt], "batch_size": 2, "max_steps": 22}
    said = only(build_online("grpo", letters, **job), stops=True)
    assert "the completions of every prompt had equal rewards" in said


def test_constant_rewards_of_ppo(letters, tmp_path):
    job = {"output_dir": str(tmp_path), "batch_size": 4, "max_steps": 22, "learning_rate": 1e-4}
    run = build("ppo", letters, PROMPTS, reward_functions=[equal], max_completion_length=4, **job)
    assert only(run).startswith("step 20: in the last 20 steps all completions had equal rewards")


def test_completions_that_never_end(letters, tmp_path):
    endless = {"generation_kwargs": {"suppress_tokens": [0, 1]}}
    job = {"output_dir": str(tmp_path), "batch_size": 1, "max_steps": 21, "learning_rate": 1e-4}
    said = only(build_online("grpo", letters, backend_args=endless, **job))
    assert said.startswith("step 20: no completion of the last 20 steps ended by itself")
    assert "Raise max_completion_length" in said


@pytest.mark.parametrize("algorithm", ["grpo", "ppo"])
def test_a_learning_rate_that_leaves_one_completion(algorithm, letters, tmp_path):
    job = {"output_dir": str(tmp_path), "max_steps": 14, "learning_rate": 1.0}
    if algorithm == "grpo":
        run = build_online("grpo", letters, batch_size=2, **job)
    else:
        rewards = {"reward_functions": [share_of_a], "max_completion_length": 8}
        run = build("ppo", letters, PROMPTS, batch_size=16, **rewards, **job)
    said = only(run)
    assert "the policy's entropy is" in said
    assert "Lower learning_rate" in said


def test_a_learning_rate_that_leads_far_away(letters, tmp_path):
    model = AutoModelForCausalLM.from_pretrained(letters)
    with torch.no_grad():
        model.lm_head.weight *= 8  # a reference that is sure of what it writes
    model.save_pretrained(tmp_path / "sure")
    AutoTokenizer.from_pretrained(letters).save_pretrained(tmp_path / "sure")
    job = {"output_dir": str(tmp_path), "batch_size": 16, "max_steps": 9, "learning_rate": 0.5}
    run = build("ppo", str(tmp_path / "sure"), PROMPTS, reward_functions=[share_of_a], max_completion_length=8, **job)
    said = only(run)
    assert "nats a token away from the reference model" in said
    assert "Lower learning_rate" in said


def test_answers_that_all_fall_beyond_the_length(letters, tmp_path, monkeypatch):
    monkeypatch.setattr("aligntune_trl.trainers.make.look_at_rows", lambda *_: None)
    if Version(version("trl")) < Version("1.13"):
        pytest.skip("this TRL's loss is NaN where nothing is learned, which stops a run as a divergence")
    rows = [{"prompt": "ab" * 10, "completion": "a"}] * 20
    job = {"max_seq_length": 8, "packing": True, "max_steps": 12, "learning_rate": 1e-2, "batch_size": 2}
    run = build("sft", letters, rows, output_dir=str(tmp_path), **job)
    with pytest.raises(RunError, match="the gradient was exactly 0 in all 12 steps"):
        run.trainer.train()
    at_once, later = run.warnings()
    assert at_once.startswith("step 1: the loss is 0 from the beginning")
    assert later.startswith("step 10: the gradient has been exactly 0 for 10 steps")


def test_a_loss_that_stays_the_same(letters, tmp_path):
    job = {"output_dir": str(tmp_path), "max_steps": 21, "batch_size": 1, "learning_rate": 1e-12}
    said = only(build("sft", letters, DATA["sft"][:1], **job))
    assert said.startswith("step 20: the loss has been the same number, ")
    assert said.endswith("for 20 steps. Raise learning_rate, and check that the dataset's rows differ.")


@pytest.mark.parametrize("algorithm", ["sft", "ppo"])
def test_a_long_good_run_draws_no_warning(algorithm, letters, tmp_path):
    job = {"output_dir": str(tmp_path), "max_steps": 60}
    if algorithm == "sft":
        run = trained(build("sft", letters, DATA["sft"][:1], batch_size=1, learning_rate=1e-2, **job))
        assert run.logged("loss")[-1] < 0.05
    else:
        rewards = {"reward_functions": [share_of_a], "max_completion_length": 8}
        run = trained(build("ppo", letters, PROMPTS, batch_size=16, learning_rate=5e-3, **rewards, **job))
        assert run.logged("reward/mean")[-1] > run.logged("reward/mean")[0] + 0.5
    assert run.warnings() == []


def test_a_look_takes_no_time():
    log = Log("ppo")
    metrics = {watcher.metric: 0.5 for watcher in watchers_of("ppo")} | {"completion/mean_length": 8.0}
    begun = time.process_time()
    log.give(metrics, 1000)
    assert time.process_time() - begun < 0.5  # half a millisecond a log


def families(watcher):
    if watcher.algorithms == {"ppo"}:
        return "PPO"
    if watcher.algorithms <= set(GROUPED):
        return "RLOO" if watcher.algorithms == {"rloo"} else "GRPO and its kin"
    if watcher.algorithms & {"ppo"}:
        return "GRPO and its kin, PPO"
    return "SFT" if watcher.algorithms == {"sft"} else "SFT, DPO, KTO, reward"


def condition(watcher):
    metric = f"`{watcher.metric}`" + (f" / `{watcher.per}`" if watcher.per else "")
    if watcher.same:
        return f"{metric} the same"
    return f"{metric} ≥ {watcher.least:g}" if watcher.least > 0 else f"{metric} ≤ {watcher.most:g}"


def patience(watcher):
    if watcher.at_once:
        return "the first log"
    return f"{watcher.steps} steps" + (f", {watcher.logs} logs" if watcher.logs > 1 else "")


def test_the_page_has_every_watcher_as_it_is():
    page = PAGE.read_text(encoding="utf-8")
    table = page.partition("<!-- watchers -->\n")[2].partition("<!-- /watchers -->")[0]
    rows = [f"| {families(each)} | {condition(each)} | {patience(each)} | {each.reason} |" for each in WATCHERS]
    head = ["| algorithms | sign | lasting | why this bound |", "|---|---|---|---|"]
    assert table.strip() == "\n".join([*head, *rows])
