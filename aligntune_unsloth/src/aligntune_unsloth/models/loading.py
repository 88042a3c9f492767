"""Load a model by Unsloth, and make sure that it is the one that was named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core import BackendError, JobError, ModelError, Problem
from aligntune_core.kit.loading import loading
from aligntune_trl.trainers.engine_config import adapter_config

if TYPE_CHECKING:
    from aligntune_trl.models.ingredients import Ingredients

CHECKPOINTING = "unsloth"
"""Unsloth's own gradient checkpointing: activations wait in the host's memory."""
_WEIGHED = ("r", "lora_alpha", "lora_dropout", "bias", "use_rslora", "init_lora_weights", "modules_to_save")
"""Settings of adapters that are compared with the job's after Unsloth has made them."""


def load_model(made_of: Ingredients, *, room: int, seed: int, checkpointing: bool) -> Any:
    """The model that a job names, with its adapters.

    Args:
        made_of: The job and what was loaded for it.
        room: Tokens that the longest sequence may have; the model cuts longer ones.
        seed: What the first weights of adapters and of a fresh head come from.
        checkpointing: Whether activations are recomputed in the backward pass.

    Raises:
        BackendError: If Unsloth loads another model than the one that was named, or in another way.
        JobError: If the adapters are not those that the job asks for.
        ModelError: If the model can't be loaded.
    """
    import torch
    import unsloth

    job, name = made_of.job, _place(made_of.model)
    recomputing = CHECKPOINTING if checkpointing else False
    full = not job.use_peft
    loaded: list[str] = []
    with loading(job.model_name):
        model, _ = unsloth.FastLanguageModel.from_pretrained(
            model_name=name,
            max_seq_length=room,
            dtype=None if full else torch.bfloat16,
            load_in_4bit=bool(job.load_in_4bit),
            load_in_8bit=False,
            load_in_16bit=not full and not job.load_in_4bit,
            full_finetuning=full,
            # weights in float32 under bf16 autocast, as the TRL backend trains all weights
            float32_mixed_precision=True if full else None,
            device_map={"": 0},
            fix_tokenizer=False,
            trust_remote_code=job.trust_remote_code,
            use_gradient_checkpointing=recomputing,
            # else a hub id is exchanged for a copy of the model that its makers keep
            use_exact_model_name=True,
            offload_embedding=False,
            fast_inference=False,
            random_state=seed,
            on_model_resolved=loaded.append,
            **({"num_labels": 1} if made_of.recipe.is_scorer else {}),
        )
    _require_named(job.model_name, name, loaded)
    _require_bits(model, in_4_bits=bool(job.load_in_4bit))
    return model if full else _with_adapters(made_of, model, seed, recomputing)


def _place(name: str) -> str:
    """A relative folder in full: Unsloth takes one with a single slash for a hub id."""
    return str(Path(name).resolve()) if os.path.isdir(name) else name  # noqa: PTH112 - a hub id is no path


def _require_named(said: str, name: str, loaded: list[str]) -> None:
    other = [each for each in loaded if each != name]
    if other:
        raise BackendError(
            f"unsloth loaded '{other[0]}' in place of '{said}'.",
            fix="Name a local folder with the model, or use backend='trl'.",
        )


def _require_bits(model: Any, *, in_4_bits: bool) -> None:
    held = any(type(module).__name__.endswith("4bit") for module in model.modules())
    if held != in_4_bits:
        wanted, is_held = ("4 bits", "16 bits") if in_4_bits else ("16 bits", "4 bits")
        raise ModelError(
            f"the job asks for a model in {wanted}, and unsloth loaded it in {is_held}.",
            fix="Name a model whose weights are not quantised already, or set load_in_4bit as they are.",
        )


def _with_adapters(made_of: Ingredients, model: Any, seed: int, recomputing: str | bool) -> Any:
    import unsloth

    wanted = adapter_config(made_of)
    settings = {name: getattr(wanted, name) for name in _WEIGHED}
    if made_of.recipe.new_layers:
        # peft itself trains the head of a model that scores
        settings["modules_to_save"] = None
    more = set(made_of.job.backend_args.get("lora", {})) - {*settings, "target_modules"}
    settings |= {name: getattr(wanted, name) for name in more}
    model = unsloth.FastLanguageModel.get_peft_model(
        model,
        target_modules=_layers(wanted, made_of.config.model_type),
        use_gradient_checkpointing=recomputing,
        random_state=seed,
        **settings,
    )
    for weight in model.parameters():
        if weight.requires_grad:
            # a fresh head comes in the model's bf16, in which small updates are lost
            weight.data = weight.data.float()
    made = model.peft_config[model.active_adapter]
    _require_same(settings, {name: getattr(made, name) for name in settings}, made_of.recipe.new_layers)
    return model


def _layers(wanted: Any, kind: str) -> Any:
    """The layers as the job names them, or those that peft takes for this kind of model, which Unsloth would not."""
    from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as KNOWN_LAYERS

    named = wanted.target_modules if wanted.target_modules is not None else KNOWN_LAYERS[kind]
    return named if isinstance(named, str) else sorted(named)


def _require_same(wanted: dict[str, Any], made: dict[str, Any], new_layers: tuple[str, ...]) -> None:
    """Refuse adapters that differ from those that were asked for."""
    different = {
        name: value
        for name, value in made.items()
        if value != wanted[name] and not (name == "modules_to_save" and set(value or ()) <= {*new_layers, "classifier"})
    }
    if different:
        problems = [
            Problem(
                "engine-refused",
                f"unsloth makes adapters with {name}={value!r}, where the job has {wanted[name]!r}.",
                "Leave the setting out, or use backend='trl'.",
                f"backend_args.lora.{name}",
            )
            for name, value in different.items()
        ]
        raise JobError(problems)
