"""What algorithms that sample their own completions need beyond a dataset: rewards, and enough prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core import DataError
from aligntune_core.check.named_rewards import named_rewards
from aligntune_core.check.tokens import too_few_rows
from aligntune_core.rewards import guarded, probe, resolve
from aligntune_trl.translation.arguments import may_lack_rewards

if TYPE_CHECKING:
    from aligntune_core import Job
    from aligntune_core.rewards import RewardFunction
    from aligntune_trl.translation.recipes import Recipe


def reward_functions(job: Job, recipe: Recipe, config: Any, rows: Any) -> list[RewardFunction]:
    """The functions that score completions, tried on made-up completions of the first rows.

    Args:
        job: The job.
        recipe: How its algorithm is trained.
        config: The trainer's configuration.
        rows: The prompts.

    Raises:
        RewardError: If a function can't be found or doesn't return one number for each completion.
    """
    named = named_rewards(job)
    functions = list(resolve(job.reward_functions, max_completion_length=config.max_completion_length, named=named))
    punishes = recipe.own_args.get("overlong_punishment") and job.backend_args.get("overlong_punishment", True)
    if punishes and all(function.name.partition("(")[0] != "soft_overlong" for function in functions):
        functions += resolve(["soft_overlong"], max_completion_length=config.max_completion_length)
    probe(functions, [rows[index] for index in range(min(2, len(rows)))], allow_missing=may_lack_rewards(job))
    return functions


def reward_arguments(job: Job, functions: list[RewardFunction]) -> dict[str, Any]:
    """The functions as TRL's trainers take them; each return is checked while training."""
    return {"reward_funcs": [guarded(function, allow_missing=may_lack_rewards(job)) for function in functions]}


def require_prompts(rows: Any, config: Any) -> None:
    """Refuse fewer prompts than one step needs: the engine would take none and call it a success.

    Args:
        rows: The prompts.
        config: The trainer's configuration.

    Raises:
        DataError: If there are too few.
    """
    needed = config.generation_batch_size // config.num_generations
    if len(rows) < needed:
        problem = too_few_rows(needed, len(rows))
        raise DataError(problem.message, fix=problem.fix, code=problem.code)
