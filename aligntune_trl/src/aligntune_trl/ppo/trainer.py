"""The PPO trainer."""

from __future__ import annotations

import copy
import math
from collections import defaultdict
from collections.abc import Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
from transformers import set_seed
from transformers.trainer_utils import EvalLoopOutput
from transformers.utils import logging

from aligntune_core.errors import RewardError, RunError
from aligntune_trl.ppo.actor_critic import ActorCritic
from aligntune_trl.ppo.actor_critic_trainer import ActorCriticTrainer
from aligntune_trl.ppo.experience import completion_figures, learn_from, token_figures
from aligntune_trl.ppo.objective import objective
from aligntune_trl.ppo.optimizing import mini_batches
from aligntune_trl.ppo.prompts import check_prompts, encode_prompts
from aligntune_trl.ppo.reward import FunctionReward, ModelReward, Reward, RewardFunction, Scores
from aligntune_trl.ppo.rollout import Rollout, end_token_ids, observe, sample
from aligntune_trl.ppo.value_model import (
    ValueModel,
    frozen_copy,
    value_model_from_policy,
    value_model_from_reward_model,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from aligntune_trl.ppo.config import PPOConfig
    from aligntune_trl.ppo.experience import Experience

logger = logging.get_logger(__name__)


class PPOTrainer(ActorCriticTrainer):
    """Proximal policy optimisation on transformers' training loop.

    One step of the loop, and of ``global_step``, is one rollout and all the optimiser updates made from it
    (:class:`PPOConfig` says what a batch is), so that a checkpoint never falls inside a rollout. The loop takes the
    last of these updates itself; the ``grad_norm`` it logs is that update's, before clipping. Every other figure is
    the mean over the rollouts since the last log. The trainer's own ``args`` are a copy as the loop sees it: a
    device's prompts of a rollout are one batch, without accumulation; ``rows_per_pass`` is the batch of one forward
    and backward pass.

    ``model`` is the policy and its value model as one module; ``policy`` is the policy alone, and what
    ``save_model`` writes. Checkpoints hold the value model's trained weights too, in ``value_model/``.

    Args:
        model: The policy, a causal language model, with or without a PEFT adapter. A run that resumes gets the model
            it started with, not the checkpoint's: the reference is made of it.
        args: The settings.
        processing_class: The policy's tokenizer.
        train_dataset: Rows with a ``prompt`` (a text or messages) and whatever columns the reward functions read.
        eval_dataset: The same for evaluation, or several by name.
        reward_functions: Functions that score completions, as :class:`FunctionReward` calls them.
        reward_weights: One weight for each function; 1 each if None.
        reward_model: A sequence classifier of one label that scores completions, instead of functions.
        reward_processing_class: Its tokenizer; None if it has the policy's.
        ref_model: What the policy is pulled towards; the policy as it is now if None. Its weights get frozen. The
            copy shares the policy's frozen weights, so with LoRA no second model is held.
        value_model: The value model; if None it starts as the reward model where that reads the policy's tokens,
            and otherwise as the policy under a head of zeros. Where the policy is trained with LoRA, so is the value
            model.
        prompts_are_checked: Whether every prompt of the training data was found to have tokens, and to leave room for
            a completion: it is not tokenised for that once more.
        callbacks: transformers' callbacks.
        optimizers: An optimiser and a schedule; made from ``args`` where None.

    Raises:
        DataError: If a dataset has no rows, no prompts, or a prompt that is too long.
        ModelError: If a model or a tokenizer doesn't fit.
        RewardError: If there are neither reward functions nor a reward model, or both.
        RunError: If DeepSpeed or FSDP is on.
    """

    control: Any

    def __init__(
        self,
        model: Any,
        args: PPOConfig,
        *,
        processing_class: Any,
        train_dataset: Any = None,
        eval_dataset: Any = None,
        reward_functions: Mapping[str, RewardFunction] | Sequence[RewardFunction] | None = None,
        reward_weights: Sequence[float] | None = None,
        reward_model: Any = None,
        reward_processing_class: Any = None,
        ref_model: Any = None,
        value_model: ValueModel | None = None,
        prompts_are_checked: bool = False,
        callbacks: list[Any] | None = None,
        optimizers: tuple[Any, Any] = (None, None),
    ) -> None:
        if (reward_functions is None) == (reward_model is None):
            raise RewardError(
                "PPO needs reward functions or a reward model, and not both.",
                fix="Give reward_functions or reward_model.",
            )
        set_seed(args.seed)
        end_token_ids(model, processing_class)
        context = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        room = None if context is None else context - args.max_completion_length
        for name, rows in _named(None if prompts_are_checked else train_dataset, eval_dataset).items():
            check_prompts(rows, name, processing_class, args.max_prompt_length, room)
        self.rows_per_pass = args.per_device_train_batch_size
        args = _as_the_loop_sees_it(args)
        if args.n_gpu > 1:
            logger.warning(
                "PPO uses one GPU of the %d in sight; start it with `accelerate launch` to use all.", args.n_gpu
            )
            args._n_gpu = 1  # noqa: SLF001
        self.reference = frozen_copy(model) if ref_model in (None, model) else ref_model.requires_grad_(False).eval()
        self.reward: Reward
        if reward_functions is not None:
            self.reward = FunctionReward(reward_functions, processing_class, reward_weights)
        else:
            self.reward = ModelReward(reward_model, reward_processing_class, processing_class, self.rows_per_pass)
        if value_model is None and isinstance(self.reward, ModelReward) and self.reward.reads_ids:
            value_model = value_model_from_reward_model(reward_model, model)
        value_model = value_model or value_model_from_policy(model)
        logger.info("The value model starts as %s.", value_model.origin)
        super().__init__(
            model=ActorCritic(model, value_model),
            args=args,
            data_collator=_as_rows,
            train_dataset=train_dataset,
            eval_dataset=eval_dataset,
            processing_class=processing_class,
            callbacks=callbacks,
            optimizers=optimizers,
        )
        if self.is_deepspeed_enabled or self.is_fsdp_enabled:
            raise RunError(
                "PPO runs on one device or, copied whole, on several; DeepSpeed and FSDP split a model.",
                fix="Start it without DeepSpeed and FSDP.",
            )
        for scorer in (self.reference, reward_model):
            if scorer is not None and not getattr(scorer, "is_quantized", False):
                scorer.to(self.args.device)
        if self.args.world_size > 1:
            # each process samples for itself; the order of the data stays common, by data_seed
            torch.manual_seed(self.args.seed + self.args.process_index)
        self._figures: dict[str, list[float]] = defaultdict(list)

    def training_step(self, model: Any, inputs: list[Mapping[str, Any]], num_items_in_batch: Any = None) -> Tensor:
        """Answer the prompts, judge the answers and learn from them; the loop makes the last update.

        Args:
            model: The policy and its value model, as accelerate wrapped them.
            inputs: Dataset rows.
            num_items_in_batch: Not used.

        Returns:
            The mean loss of the step's updates.

        Raises:
            RewardError: If a reward function fails or returns something that is no reward.
            RunError: If weights, a loss or the reward model's scores are no longer finite.
        """
        rollout, scores = self._roll_out(inputs)
        experience = learn_from(rollout, scores, self.args)
        figures = {
            **{name: figure.mean() for name, figure in completion_figures(rollout, scores, self.args).items()},
            "reward/std": scores.total.std(unbiased=False),
            **token_figures(rollout, experience),
            **self._learn(model, experience),
        }
        loss = figures["policy_loss"] + self.args.value_loss_coef * figures["value_loss"]
        self._note(figures)
        return loss

    def evaluation_loop(
        self,
        dataloader: Any,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """Answer the prompts and report the mean reward, the divergence from the reference and the lengths.

        Sampling starts from ``args.seed`` each time and leaves the random state of training alone.

        Args:
            dataloader: Yields lists of dataset rows.
            description: Not used.
            prediction_loss_only: Not used.
            ignore_keys: Not used.
            metric_key_prefix: What the metrics' names begin with.

        Returns:
            The metrics, and no predictions.
        """
        parts: dict[str, list[Tensor]] = defaultdict(list)
        with _fixed_randomness(self.args.seed + self.args.process_index, self.args.device):
            for rows in dataloader:
                figures = completion_figures(*self._roll_out(rows), self.args)
                for name, figure in figures.items():
                    parts[name].append(self.accelerator.gather_for_metrics(figure))
                self.control = self.callback_handler.on_prediction_step(self.args, self.state, self.control)
        whole = {name: torch.cat(figures) for name, figures in parts.items()}
        metrics = {f"{metric_key_prefix}_{name}": figure.mean().item() for name, figure in whole.items()}
        rewards = whole["reward/mean"]
        metrics[f"{metric_key_prefix}_reward/std"] = rewards.std(unbiased=False).item()
        return EvalLoopOutput(predictions=None, label_ids=None, metrics=metrics, num_samples=len(rewards))

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Add the means of the figures since the last log to what the loop logs.

        Args:
            logs: What the loop logs.
            args: The loop's further arguments.
            kwargs: The same by name.
        """
        if "loss" in logs:
            logs.update({name: math.fsum(values) / len(values) for name, values in self._figures.items()})
            self._figures.clear()
        super().log(logs, *args, **kwargs)

    def _roll_out(self, rows: Sequence[Mapping[str, Any]]) -> tuple[Rollout, Scores]:
        self.require_finite_weights()
        args, tokenizer = self.args, self.processing_class
        self.model.eval()
        prompts = encode_prompts([row["prompt"] for row in rows], tokenizer, args.max_prompt_length, args.device)
        with self.accelerator.autocast():
            completions = sample(
                self.policy,
                prompts,
                tokenizer,
                temperature=args.temperature,
                max_length=args.max_completion_length,
                batch_size=args.generation_batch_size or len(rows),
            )
            rollout = observe(
                self.model,
                self.reference,
                completions,
                temperature=args.temperature,
                batch_size=self.rows_per_pass,
            )
            return rollout, self.reward(rows, completions)

    def _learn(self, model: Any, experience: Experience) -> dict[str, Tensor]:
        """Make every update but the last, whose gradients are left for the loop; returns the updates' mean figures."""
        model.train()
        plan = list(mini_batches(len(experience), self.args.num_ppo_epochs, self.args.num_mini_batches))
        seen: dict[str, list[Tensor]] = defaultdict(list)
        for number, indices in enumerate(plan, start=1):
            for name, figure in self._accumulate(model, experience.rows(indices)).items():
                seen[name].append(figure)
            if number < len(plan):
                self._update(model)
        return {name: torch.stack(figures).mean() for name, figures in seen.items()}

    def _accumulate(self, model: Any, batch: Experience) -> dict[str, Tensor]:
        """Add up the gradients of one mini-batch over its forward and backward passes."""
        tokens = self.accelerator.reduce(batch.mask.sum().float(), reduction="mean")
        pieces = torch.arange(len(batch)).split(self.rows_per_pass)
        total: dict[str, Tensor] = {}
        for number, indices in enumerate(pieces, start=1):
            with nullcontext() if number == len(pieces) else self.accelerator.no_sync(model):
                with self.compute_loss_context_manager():
                    loss, figures = objective(model, batch.rows(indices), tokens, self.args)
                self.accelerator.backward(loss)
            for name, figure in figures.items():
                total[name] = total.get(name, 0) + figure
        return total

    def _update(self, model: Any) -> None:
        if self.args.max_grad_norm:
            self.accelerator.clip_grad_norm_(model.parameters(), self.args.max_grad_norm)
        self.control = self.callback_handler.on_pre_optimizer_step(self.args, self.state, self.control)
        self.optimizer.step()
        self.control = self.callback_handler.on_optimizer_step(self.args, self.state, self.control)
        model.zero_grad()

    def _note(self, figures: Mapping[str, Tensor]) -> None:
        values = self.accelerator.reduce(torch.stack([figure.float() for figure in figures.values()]), reduction="mean")
        named = dict(zip(figures, values.tolist(), strict=True))
        for name in ("policy_loss", "value_loss"):
            if not math.isfinite(named[name]):
                raise RunError(
                    f"The {name.replace('_', ' ')} is {named[name]} at step {self.state.global_step + 1}.",
                    fix="Lower learning_rate, or check the scale of the rewards.",
                )
        for name, value in named.items():
            self._figures[name].append(value)


def _as_rows(rows: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return rows


def _as_the_loop_sees_it(args: PPOConfig) -> PPOConfig:
    """One rollout as one batch: transformers before 5 loses a last, short accumulation when it resumes in an epoch."""
    seen = copy.copy(args)
    seen.per_device_train_batch_size = args.prompts_per_rollout
    seen.gradient_accumulation_steps = 1
    if args.data_seed is None:
        seen.data_seed = args.seed
    return seen


def _named(train_dataset: Any, eval_dataset: Any) -> dict[str, Any]:
    """The datasets that can be looked through beforehand, by what errors call them."""
    if isinstance(eval_dataset, Mapping):
        named = {f"evaluation data '{name}'": rows for name, rows in eval_dataset.items()}
    else:
        named = {"evaluation data": eval_dataset}
    return {name: rows for name, rows in {"training data": train_dataset, **named}.items() if hasattr(rows, "__len__")}


@contextmanager
def _fixed_randomness(seed: int, device: torch.device) -> Iterator[None]:
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
