"""From a job to a trainer: the one place where the engine is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core import DataError, JobError, Notice
from aligntune_core.kit.checkpoints.choose import resume_from
from aligntune_core.kit.loading import loading_weights
from aligntune_core.kit.quiet import quiet_engine
from aligntune_core.machine.importing import large_import
from aligntune_trl.models.adapter_layers import layer_problem
from aligntune_trl.tokens.encoding import row_encoder
from aligntune_trl.tokens.first_look import look_at_rows
from aligntune_trl.trainers.engine import PLAIN
from aligntune_trl.trainers.engine_config import precision
from aligntune_trl.trainers.engine_errors import engine_errors
from aligntune_trl.trainers.gather import gather, in_tokens
from aligntune_trl.translation.arguments import config_arguments, length_key, own_arguments

if TYPE_CHECKING:
    from pathlib import Path

    from aligntune_core import Job, Listener
    from aligntune_core.rewards import RewardFunction
    from aligntune_trl.models.ingredients import Ingredients
    from aligntune_trl.run.trainer import TRLTrainer
    from aligntune_trl.trainers.engine import Engine
    from aligntune_trl.translation.recipes import Recipe


def build_trainer(job: Job, emit: Listener, engine: Engine = PLAIN) -> TRLTrainer:
    """Load what a job names and hand it to its engine.

    Args:
        job: A job that passed every check.
        emit: Where events go.
        engine: How the model is loaded and set up; TRL's own way by default.

    Raises:
        JobError: If the engine refuses a setting, or the model has no layer of a name that adapters are asked for.
        DataError: If the dataset can't be used.
        ModelError: If the model can't be loaded.
        RewardError: If a reward function doesn't do what it should.
        CheckpointError: If the job resumes and there is no whole checkpoint.
    """
    checkpoint, _ = resume_from(job)
    made_of = gather(job, emit)
    with quiet_engine():
        encoder = row_encoder(job, made_of.recipe, made_of.tokenizer)
        look_at_rows(made_of, encoder)
        return _handed_over(in_tokens(made_of, encoder), checkpoint, engine)


def _handed_over(made_of: Ingredients, checkpoint: Path | None, engine: Engine) -> TRLTrainer:
    """The job in its engine's hands, with the model's weights loaded."""
    with large_import():
        from aligntune_trl.run.trainer import TRLTrainer

    job, recipe, emit = made_of.job, made_of.recipe, made_of.emit
    with engine_errors(made_of, engine.packages):
        native = _ppo(made_of, engine) if recipe.is_own else _native(made_of, engine)
        engine.settle(made_of, native)
    # peft passes over a name that it finds no layer for, as long as it finds one for another
    if missing := layer_problem(made_of, getattr(native.model, "policy", native.model)):
        raise JobError([missing])
    if checkpoint and recipe.is_grouped:
        from aligntune_trl.run.prompt_order import keep_prompt_order

        keep_prompt_order(native, checkpoint)
    _say_dropped(job, recipe, len(made_of.rows), native, emit)
    return TRLTrainer(job, native, made_of.tokenizer, checkpoint, emit, merged=engine.merged)


def _native(made_of: Ingredients, engine: Engine) -> Any:
    """TRL's own trainer, with the model loaded."""
    with large_import():
        import trl
        from transformers import set_seed

        config_class, trainer = getattr(trl, made_of.recipe.config), getattr(trl, made_of.recipe.trainer)
    job, recipe, emit = made_of.job, made_of.recipe, made_of.emit
    config = engine.configuration(made_of, config_class, {**precision(job, emit), **config_arguments(job, recipe)})
    made_of = engine.prepared(made_of, config)
    rows, extra = made_of.rows, dict[str, Any]()
    if recipe.is_grouped:
        from aligntune_trl.trainers.rewards import require_prompts, reward_arguments, reward_functions

        require_prompts(rows, config)
        functions = reward_functions(job, recipe, config, rows)
        config.reward_weights = config.reward_weights or [function.weight for function in functions]
        extra.update(reward_arguments(job, functions))
        trainer = _sampling(job, recipe, trainer, functions)
    # before 1.15, TRL leaves the first weights of adapters to chance
    set_seed(config.seed)
    with loading_weights(job.model_name):
        return engine.trainer(made_of, trainer)(
            args=config,
            train_dataset=rows,
            eval_dataset=made_of.eval_rows,
            processing_class=made_of.tokenizer,
            **engine.model(made_of, config),
            **extra,
        )


def _ppo(made_of: Ingredients, engine: Engine) -> Any:
    from aligntune_trl.trainers.ppo import build_ppo

    return build_ppo(made_of, engine)


def _sampling(job: Job, recipe: Recipe, trainer: type, functions: list[RewardFunction]) -> type:
    own = own_arguments(job, recipe)
    if not own.get("dynamic_sampling"):
        return trainer
    from aligntune_trl.trainers.dynamic_sampling import dynamic_sampling_trainer

    punishments = {index for index, function in enumerate(functions) if function.name.startswith("soft_overlong")}
    return dynamic_sampling_trainer(trainer, tries=own["max_sampling_tries"], punishments=frozenset(punishments))


def _say_dropped(job: Job, recipe: Recipe, given: int, native: Any, emit: Listener) -> None:
    config = native.args
    if getattr(config, "packing", False):
        return
    dropped = given - len(native.train_dataset)
    if not dropped:
        return
    key = length_key(job)
    length = f"{key}={config.max_length}" if key else f"the engine's default length of {config.max_length}"
    why = f"have nothing left to learn from, because their prompts alone fill {length}"
    if recipe.leaves_out:
        why = f"are longer than {length}"
    message = f"{dropped} of {given} rows {why}"
    if dropped == given:
        fix = f"Raise {key}." if key else "Set a greater max_seq_length."
        raise DataError(f"{message}.", fix=fix, code="nothing-to-learn")
    key = key or "max_seq_length"
    emit(Notice(f"{message}: TRL leaves them out.", warning=True, code="rows-left-out", key=key))
