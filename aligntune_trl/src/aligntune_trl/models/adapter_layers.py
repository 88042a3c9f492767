"""Whether the layers that a job wants adapters on are in its model."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aligntune_core import Problem
from aligntune_core.wording import closest
from aligntune_trl.translation.arguments import LORA_ARGS, lora_arguments

if TYPE_CHECKING:
    from aligntune_trl.models.ingredients import Ingredients


def layer_problem(made_of: Ingredients, model: Any | None) -> Problem | None:
    """The layers that the job names and the model doesn't have, as a problem.

    Args:
        made_of: The job and what was loaded for it.
        model: The model, with its adapters or without; None if it could not be made, so that only its shape is built.
    """
    job = made_of.job
    named = lora_arguments(job, made_of.recipe).get("target_modules") if job.use_peft else None
    if not named or named == "all-linear" or (isinstance(named, str) and model):
        return None
    if model is None:
        with suppress(Exception):
            model = _shape(made_of)
    modules = _module_names(model) if model is not None else set()
    # a text is peft's pattern, and peft has found nothing for it
    missing = [named] if isinstance(named, str) else [name for name in named if not _is_in(str(name), modules)]
    if not missing:
        return None
    key = "lora_target_modules" if job.is_set("lora_target_modules") else f"backend_args.{LORA_ARGS}.target_modules"
    quoted = ", ".join(f"'{name}'" for name in missing)
    message = f"'{key}' names {quoted}, which '{job.model_name}' has no layer for."
    known = _linear_names(model) if model is not None else []
    meant = closest(str(missing[0]), known) if len(missing) == 1 else None
    fix = f"Did you mean '{meant}'? " if meant else ""
    fix += f"Its linear layers: {', '.join(known)}." if known else ""
    return Problem("unknown-layer", message, fix.strip(), key)


def named_layer_problem(made_of: Ingredients) -> Problem | None:
    """The same before any weights are loaded; a pattern is left to peft.

    Args:
        made_of: The job and its model's configuration.
    """
    job = made_of.job
    named = lora_arguments(job, made_of.recipe).get("target_modules") if job.use_peft else None
    return layer_problem(made_of, None) if isinstance(named, list) else None


def _is_in(name: str, modules: set[str]) -> bool:
    return any(module == name or module.endswith(f".{name}") for module in modules)


def _module_names(model: Any) -> set[str]:
    return {name for name, _ in model.named_modules()}


def _linear_names(model: Any) -> list[str]:
    """What the linear layers are called, without where they stand; those of adapters are left out."""
    import torch
    from transformers.pytorch_utils import Conv1D

    paths = [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear | Conv1D)]
    names = {path.removesuffix(".base_layer").rpartition(".")[2] for path in paths if ".lora_" not in path}
    return sorted(names)


def _shape(made_of: Ingredients) -> Any:
    """The model without its weights."""
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

    kind = AutoModelForSequenceClassification if made_of.recipe.is_scorer else AutoModelForCausalLM
    with torch.device("meta"):
        return kind.from_config(made_of.config, trust_remote_code=made_of.job.trust_remote_code)
