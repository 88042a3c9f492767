"""DAPO's dynamic sampling: groups that teach nothing are left out, others are drawn (arXiv 2503.14476, 3.2)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch


def dynamic_sampling_trainer(grpo_trainer: type, *, tries: int, punishments: frozenset[int]) -> type:
    """TRL's GRPO trainer with DAPO's dynamic sampling.

    A group is one prompt's completions. It teaches nothing where all its rewards are equal, since every advantage is
    then zero (equation 11 keeps groups that are neither all right nor all wrong). Such groups are replaced by groups
    of other prompts, drawn at random from the training data, until none is left or the tries are used up; what is
    left then stays, with advantages of zero, and is counted in the metric ``dynamic_sampling/uninformative``.

    Args:
        grpo_trainer: ``trl.GRPOTrainer``.
        tries: How often at most a batch's uninformative groups are drawn again.
        punishments: Indices of reward functions that only shape the reward and don't count as an answer's reward.

    Returns:
        The subclass. Draws depend on the seed and the step alone, so that a resumed run draws the same.
    """

    class DynamicSamplingTrainer(grpo_trainer):  # type: ignore[misc]
        _drawn: tuple[Any, torch.Tensor] | None = None

        def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> Any:
            if not self.model.training:
                return super()._generate_and_score_completions(inputs)
            inputs, generated, rewards = self._informative(inputs)
            self._drawn = (generated, rewards)
            try:
                return super()._generate_and_score_completions(inputs)
            finally:
                self._drawn = None

        def _generate(self, prompts: list[Any]) -> Any:
            return super()._generate(prompts) if self._drawn is None else self._drawn[0]

        def _calculate_rewards(self, *arguments: Any, **keywords: Any) -> torch.Tensor:
            if self._drawn is None:
                return super()._calculate_rewards(*arguments, **keywords)
            rewards: torch.Tensor = self.accelerator.gather(self._drawn[1])
            return rewards

        def _informative(self, inputs: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], Any, torch.Tensor]:
            group = self.num_generations
            inputs = list(inputs)
            generated, rewards = self._try(inputs)
            weights = self.reward_weights.to(rewards.device).clone()
            weights[list(punishments)] = 0.0
            first = {name: list(values) for name, values in self._metrics["train"].items()}
            order = self._draws()
            drawn = len(inputs) // group
            for _ in range(tries):
                stale = _uninformative(rewards, weights, group)
                # every process takes part in every draw, since rewards are gathered
                wanted = int(self.accelerator.gather(torch.tensor([len(stale)], device=rewards.device)).max())
                if not wanted:
                    break
                fresh = [self.train_dataset[next(order)] for _ in range(wanted)]
                fresh_inputs = [dict(row) for row in fresh for _ in range(group)]
                drawn += wanted
                others, other_rewards = self._try(fresh_inputs)
                idle = _uninformative(other_rewards, weights, group)
                useful = [index for index in range(wanted) if index not in idle]
                for target, source in zip(stale, useful, strict=False):
                    here, there = (slice(index * group, (index + 1) * group) for index in (target, source))
                    inputs[here] = fresh_inputs[there]
                    rewards[here] = other_rewards[there]
                    _replace(generated, others, here, there)
            # lengths are told of the first draw, which is as the model writes; tokens are counted over all
            first["num_tokens"] = self._metrics["train"]["num_tokens"]
            self._metrics["train"] = defaultdict(list, first)
            self._metrics["train"]["dynamic_sampling/drawn"].append(float(drawn))
            left = len(_uninformative(rewards, weights, group))
            self._metrics["train"]["dynamic_sampling/uninformative"].append(float(left))
            return inputs, tuple(generated), rewards

        def _try(self, inputs: list[dict[str, Any]]) -> tuple[list[Any], torch.Tensor]:
            prompts = [row["prompt"] for row in inputs]
            generated = list(super()._generate(prompts))
            completion_ids, completions = generated[1], generated[3]
            gathered = super()._calculate_rewards(inputs, prompts, completions, completion_ids)
            start = self.accelerator.process_index * len(prompts)
            return generated, gathered[start : start + len(prompts)].clone()

        def _draws(self) -> Any:
            # TRL counts its own steps from zero again after a resume, so only their place in an optimiser step holds
            accumulated = self.args.gradient_accumulation_steps
            step = self.state.global_step * accumulated + self._step % accumulated
            place = step * self.accelerator.num_processes + self.accelerator.process_index
            generator = torch.Generator().manual_seed(self.args.seed * 1_000_003 + place)
            while True:
                yield from torch.randperm(len(self.train_dataset), generator=generator).tolist()

    DynamicSamplingTrainer.__name__ = grpo_trainer.__name__
    return DynamicSamplingTrainer


def _uninformative(rewards: torch.Tensor, weights: torch.Tensor, group: int) -> list[int]:
    groups = (rewards * weights).nansum(dim=1).view(-1, group)
    equal = torch.isclose(groups, groups[:, :1]).all(dim=1)
    return [int(index) for index in equal.nonzero().flatten()]


def _replace(generated: list[Any], others: list[Any], here: slice, there: slice) -> None:
    for part, other in zip(generated, others, strict=True):
        if isinstance(part, list):
            part[here] = other[there]
        elif isinstance(part, dict):
            for name in part:
                part[name][here] = other[name][there]
