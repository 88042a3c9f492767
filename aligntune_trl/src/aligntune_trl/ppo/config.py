"""The settings of a PPO run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from transformers import TrainingArguments

from aligntune_core.errors import JobError
from aligntune_core.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class PPOConfig(TrainingArguments):  # type: ignore[misc]
    """transformers' training arguments and what PPO adds to them.

    One step is one rollout: ``per_device_train_batch_size * gradient_accumulation_steps`` prompts on each device are
    answered and judged, then ``num_ppo_epochs * num_mini_batches`` optimiser updates learn from the answers, each
    from its mini-batch in forward and backward passes of ``per_device_train_batch_size`` completions at most.
    ``max_steps``, ``logging_steps``, ``save_steps``, ``eval_steps``, ``warmup_steps`` and the learning rate's schedule
    count steps; the learning rate is constant within one.

    Args:
        num_ppo_epochs: Passes over each rollout. Source: arXiv 1909.08593 and its code.
        num_mini_batches: Optimiser updates in each of them. Source: as TRL's PPO trainer.
        clip_range: How far from 1 the probability ratio may pay off. Source: arXiv 1707.06347, table 1.
        clip_range_value: The same for values, in units of reward; None switches it off. Source: arXiv 1909.08593,
            its code.
        value_loss_coef: Weight of the value loss. Source: arXiv 1909.08593, its code.
        value_learning_rate: Learning rate of the value model; ``learning_rate`` if None. A value model with a fresh
            head often wants more than its policy.
        gamma: Discount factor. Source: arXiv 2203.02155, appendix C.4.
        lam: Weight between one-step and whole-return advantages. Source: arXiv 1909.08593, its code.
        kl_coef: Weight of the pull towards the reference. Source: as TRL's PPO trainer; arXiv 2203.02155 has 0.02.
        kl_estimator: k1 or k3. Source: k1 is arXiv 1909.08593, equation 2; k3 is joschu.net/blog/kl-approx.html.
        whiten_rewards: Scale each rollout's token rewards to unit variance, keeping their mean. Source: arXiv
            1909.08593 has it on; off as in TRL's PPO trainer.
        whiten_advantages: Scale each rollout's advantages to mean 0 and unit variance, on each device. Source: arXiv
            1909.08593, its code.
        missing_eos_penalty: Taken off the reward of a completion that does not end by itself.
        temperature: Of the sampling, and of every log-probability. Source: 1 as in arXiv 2203.02155, appendix C.4.
        max_completion_length: Tokens a completion may have.
        max_prompt_length: Of a longer prompt only the last tokens are kept; None keeps all and refuses prompts that
            leave no room for a completion in the model's context.
        generation_batch_size: Prompts answered at a time; all of a device's rollout if None.

    Raises:
        JobError: If a setting makes no sense, with every such setting.
    """

    learning_rate: float = field(default=3e-6, metadata={"help": "The highest learning rate of the schedule"})
    logging_steps: float = field(default=10, metadata={"help": "Steps between two logs of metrics"})
    remove_unused_columns: bool = field(
        default=False, metadata={"help": "Must be false: reward functions get the dataset's other columns"}
    )
    num_ppo_epochs: int = field(default=4, metadata={"help": "Passes over each rollout"})
    num_mini_batches: int = field(default=1, metadata={"help": "Optimiser updates in each pass over a rollout"})
    clip_range: float = field(default=0.2, metadata={"help": "How far from 1 the probability ratio may pay off"})
    clip_range_value: float | None = field(
        default=0.2, metadata={"help": "How far a value may move and still pay off, in units of reward; none: no limit"}
    )
    value_loss_coef: float = field(default=0.1, metadata={"help": "Weight of the value loss"})
    value_learning_rate: float | None = field(
        default=None, metadata={"help": "Learning rate of the value model (default: learning_rate)"}
    )
    gamma: float = field(default=1.0, metadata={"help": "Discount factor"})
    lam: float = field(default=0.95, metadata={"help": "Weight between one-step (0) and whole-return (1) advantages"})
    kl_coef: float = field(default=0.05, metadata={"help": "Weight of the pull towards the reference model"})
    kl_estimator: str = field(
        default="k1", metadata={"help": "Estimator of the divergence from the reference", "choices": ["k1", "k3"]}
    )
    whiten_rewards: bool = field(default=False, metadata={"help": "Scale token rewards to unit variance"})
    whiten_advantages: bool = field(default=True, metadata={"help": "Scale advantages to mean 0 and unit variance"})
    missing_eos_penalty: float | None = field(
        default=None, metadata={"help": "Taken off the reward of a completion that does not end by itself"}
    )
    temperature: float = field(default=1.0, metadata={"help": "Temperature of sampling and of log-probabilities"})
    max_completion_length: int = field(default=256, metadata={"help": "Tokens a completion may have"})
    max_prompt_length: int | None = field(
        default=None, metadata={"help": "Tokens kept of a prompt, the last ones (default: all)"}
    )
    generation_batch_size: int | None = field(
        default=None, metadata={"help": "Prompts answered at a time (default: all of a rollout)"}
    )

    def __post_init__(self) -> None:
        if self.load_best_model_at_end and self.metric_for_best_model is None:  # type: ignore[has-type]
            self.metric_for_best_model = "reward/mean"
            self.greater_is_better = True
        super().__post_init__()
        problems = list(self._problems())
        if problems:
            raise JobError(problems)

    @property
    def prompts_per_rollout(self) -> int:
        """Prompts of one rollout on one device."""
        return int(self.per_device_train_batch_size * self.gradient_accumulation_steps)

    def _problems(self) -> Iterator[Problem]:
        for name in ("num_ppo_epochs", "num_mini_batches", "max_completion_length"):
            if getattr(self, name) < 1:
                yield _problem(name, getattr(self, name), "at least 1")
        for name in ("max_prompt_length", "generation_batch_size"):
            if (value := getattr(self, name)) is not None and value < 1:
                yield _problem(name, value, "at least 1, or none")
        for name in ("clip_range", "temperature"):
            if not getattr(self, name) > 0:
                yield _problem(name, getattr(self, name), "above 0")
        for name in ("value_loss_coef", "kl_coef", "value_learning_rate", "clip_range_value", "missing_eos_penalty"):
            if (value := getattr(self, name)) is not None and not value >= 0:
                yield _problem(name, value, "0 or more")
        for name in ("gamma", "lam"):
            if not 0 <= getattr(self, name) <= 1:
                yield _problem(name, getattr(self, name), "from 0 to 1")
        if self.kl_estimator not in ("k1", "k3"):
            yield _problem("kl_estimator", self.kl_estimator, "'k1' or 'k3'")
        if self.remove_unused_columns:
            yield _problem("remove_unused_columns", True, "false, because prompts and rewards need the columns")
        if self.auto_find_batch_size:
            yield _problem("auto_find_batch_size", True, "false, because it would change the rollouts")
        if self.num_mini_batches > self.prompts_per_rollout:
            yield Problem(
                code="ppo-setting",
                message=f"num_mini_batches is {self.num_mini_batches}, but a rollout has {self.prompts_per_rollout} "
                "prompts (per_device_train_batch_size * gradient_accumulation_steps).",
                fix=f"Use at most {self.prompts_per_rollout} mini-batches, or larger rollouts.",
                key="num_mini_batches",
            )


def _problem(key: str, value: object, expected: str) -> Problem:
    return Problem(code="ppo-setting", message=f"{key} is {value!r}, but it must be {expected}.", key=key)
