"""What every trainer's configuration needs beyond the job's own keys: precision, quantisation, adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core import JobError, Notice, Problem
from aligntune_trl.translation.arguments import lora_arguments

if TYPE_CHECKING:
    from aligntune_core import Job, Listener
    from aligntune_trl.models.ingredients import Ingredients


def configured(config: Any, arguments: dict[str, Any]) -> Any:
    """The engine's configuration.

    Args:
        config: The configuration's class.
        arguments: Its arguments.

    Raises:
        JobError: If the engine refuses them, in its own words.
    """
    try:
        return config(**arguments)
    except (TypeError, ValueError) as error:
        message = f"{config.__name__} refuses the job's settings: {error}"
        raise JobError([Problem("engine-refused", message, key="backend_args")]) from error


def precision(job: Job, emit: Listener) -> dict[str, bool]:
    """The arguments for a precision that the job leaves open: bf16 where the device is fast at it, else fp32.

    Args:
        job: The job.
        emit: Where it is said that bf16 is not to be had.
    """
    import torch

    if job.precision == "bf16" and not torch.cuda.is_available():
        return {"use_cpu": True}
    if job.precision or {"bf16", "fp16", "use_cpu"} & set(job.backend_args):
        return {}
    if torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False):
        return {"bf16": True}
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "the CPU"
    emit(Notice(f"precision is fp32, since {device} has no fast bf16 and the job names none."))
    return {"bf16": False}


def loading_arguments(job: Job) -> dict[str, Any]:
    """What from_pretrained needs to hold a model in 4 bits, where the job asks for it."""
    if not job.load_in_4bit:
        return {}
    import torch
    from transformers import BitsAndBytesConfig

    # arXiv 2305.14314, section 3: 4-bit NormalFloat with double quantisation
    return {
        "quantization_config": BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.float16 if job.precision == "fp16" else torch.bfloat16,
        )
    }


def adapter_config(made_of: Ingredients) -> Any:
    """The adapters that the job asks for, as peft takes them; None where it trains all weights.

    Args:
        made_of: The job and what was loaded for it.
    """
    if not made_of.job.use_peft:
        return None
    from peft import LoraConfig
    from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as KNOWN_LAYERS

    arguments = lora_arguments(made_of.job, made_of.recipe)
    kind = made_of.config.model_type
    if "target_modules" not in arguments and kind not in KNOWN_LAYERS:
        arguments["target_modules"] = "all-linear"
        made_of.emit(Notice(f"adapters go on every linear layer, since peft has no default for a '{kind}' model."))
    return LoraConfig(**arguments)
