"""From a job to a PPO trainer, with policy, reward and value model loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.check.named_rewards import named_rewards
from aligntune_core.kit.loading import load_config, loading
from aligntune_core.kit.starting_model import starting_model
from aligntune_core.machine.importing import large_import
from aligntune_core.rewards import guarded, probe, resolve
from aligntune_trl.checks.reward_model import require_scores
from aligntune_trl.trainers.engine_config import precision
from aligntune_trl.translation.arguments import config_arguments

if TYPE_CHECKING:
    from aligntune_core import Job, Listener
    from aligntune_trl.models.ingredients import Ingredients
    from aligntune_trl.ppo.trainer import PPOTrainer
    from aligntune_trl.trainers.engine import Engine


def build_ppo(made_of: Ingredients, engine: Engine) -> PPOTrainer:
    """Load what a PPO job names.

    Args:
        made_of: The job and what was loaded for it.
        engine: How the policy is loaded and set up.

    Raises:
        DataError: If a prompt is too long for the model.
        ModelError: If a model can't be loaded, or the reward model is none.
        RewardError: If a reward function doesn't do what it should.
    """
    with large_import():
        import torch

        from aligntune_trl.ppo import PPOConfig, PPOTrainer

    job, recipe, emit = made_of.job, made_of.recipe, made_of.emit
    config = engine.configuration(made_of, PPOConfig, {**precision(job, emit), **config_arguments(job, recipe)})
    reward = _reward_model(job, emit) if job.reward_model_name else _reward_functions(job, config, made_of.rows)
    # torch seeds the adapters and a fresh head
    torch.manual_seed(config.seed)
    trainer: type[PPOTrainer] = engine.trainer(made_of, PPOTrainer)
    return trainer(
        engine.policy(made_of, config),
        config,
        processing_class=made_of.tokenizer,
        train_dataset=made_of.rows,
        eval_dataset=made_of.eval_rows,
        # the look at rows that comes before counts the tokens of each
        prompts_are_checked=True,
        **reward,
    )


def _reward_functions(job: Job, config: Any, rows: Any) -> dict[str, Any]:
    named = named_rewards(job)
    functions = resolve(job.reward_functions, max_completion_length=config.max_completion_length, named=named)
    probe(functions, [rows[index] for index in range(min(2, len(rows)))])
    return {
        "reward_functions": {function.name: guarded(function) for function in functions},
        "reward_weights": [function.weight for function in functions],
    }


def _reward_model(job: Job, emit: Listener) -> dict[str, Any]:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    name = job.reward_model_name or ""
    path = starting_model(name, emit)
    config = load_config(path, name, trust_remote_code=job.trust_remote_code)
    require_scores(name, config)
    with loading(name):
        model = AutoModelForSequenceClassification.from_pretrained(
            path, dtype=torch.float32, trust_remote_code=job.trust_remote_code
        )
    with loading(name, "tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=job.trust_remote_code)
    return {"reward_model": model, "reward_processing_class": tokenizer}
