"""What algorithms that sample their own completions need beyond a dataset: rewards, room, and enough prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core import DataError, Notice
from aligntune_core.rewards import guarded, probe, resolve

if TYPE_CHECKING:
    from aligntune_core import Job, Listener
    from aligntune_core.rewards import RewardFunction
    from aligntune_trl.recipes import Recipe


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
    functions = list(resolve(job.reward_functions, max_completion_length=config.max_completion_length))
    punishes = recipe.own_args.get("overlong_punishment") and job.backend_args.get("overlong_punishment", True)
    if punishes and all(function.name.partition("(")[0] != "soft_overlong" for function in functions):
        functions += resolve(["soft_overlong"], max_completion_length=config.max_completion_length)
    probe(functions, [rows[index] for index in range(min(2, len(rows)))], allow_missing=_may_be_missing(job))
    return functions


def reward_arguments(job: Job, functions: list[RewardFunction]) -> dict[str, Any]:
    """The functions as TRL's trainers take them; each return is checked while training."""
    return {"reward_funcs": [guarded(function, allow_missing=_may_be_missing(job)) for function in functions]}


def _may_be_missing(job: Job) -> bool:
    return bool(job.backend_args.get("allow_missing_rewards", False))


def check_prompts(rows: Any, config: Any, tokenizer: Any, context: int | None, emit: Listener) -> None:
    """Refuse prompts that training could only fail on, or silently skip.

    Args:
        rows: The prompts.
        config: The trainer's configuration.
        tokenizer: The model's tokenizer.
        context: Tokens the model can hold, None where it doesn't say.
        emit: Where events go.

    Raises:
        DataError: If there are fewer prompts than one step needs, or prompts that fill the model's context.
    """
    needed = config.generation_batch_size // config.num_generations
    if len(rows) < needed:
        raise DataError(
            f"one step needs {needed} prompts, and the dataset has {len(rows)}.",
            fix="Add prompts, or lower batch_size or gradient_accumulation_steps.",
        )
    if context is None:
        return
    lengths = [prompt_length(prompt, tokenizer) for prompt in rows["prompt"]]
    too_long = [index for index, length in enumerate(lengths) if length >= context]
    if too_long:
        raise DataError(
            f"{len(too_long)} of {len(rows)} prompts fill the model's context of {context} tokens, the first of them "
            f"row {too_long[0]} with {lengths[too_long[0]]} tokens.",
            fix="Shorten or leave out those rows.",
        )
    cramped = sum(length + config.max_completion_length > context for length in lengths)
    if cramped:
        message = (
            f"{cramped} of {len(rows)} prompts leave less than max_completion_length={config.max_completion_length} "
            f"tokens in the model's context of {context}: their completions go beyond what the model was trained for."
        )
        emit(Notice(message, warning=True))


def prompt_length(prompt: Any, tokenizer: Any) -> int:
    """Tokens of a prompt as the model sees it.

    Args:
        prompt: A text, or a list of messages.
        tokenizer: The model's tokenizer.
    """
    if isinstance(prompt, str):
        return len(tokenizer(prompt)["input_ids"])
    encoded = tokenizer.apply_chat_template(prompt, add_generation_prompt=True, tokenize=True, return_dict=True)
    return len(encoded["input_ids"])
