"""What stands against a job on this backend, told without importing Unsloth or TRL."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from aligntune_core import Problem
from aligntune_core.machine.devices import cuda_device_count
from aligntune_core.models.source import ModelKind, model_source
from aligntune_trl.checks.job import setting_problems
from aligntune_trl.translation.recipes import RECIPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aligntune_core import Job

_TRL = "Leave it out, or use backend='trl'."


def _on(value: object) -> bool:
    return bool(value)


def _given(value: object) -> bool:
    return value is not None


def _not_zero(value: object) -> bool:
    return value not in (None, 0, 0.0)


REFUSED: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "model_init_kwargs": (_given, "Unsloth loads the model by itself"),
    "bf16": (_given, "Unsloth computes in bf16"),
    "fp16": (_on, "Unsloth computes in bf16"),
    "bf16_full_eval": (_on, "an evaluation would round the trained weights"),
    "fp16_full_eval": (_on, "an evaluation would round the trained weights"),
    "use_cpu": (_on, "Unsloth needs a CUDA GPU"),
    "gradient_checkpointing_kwargs": (_given, "activations are recomputed by Unsloth's own way"),
    "activation_offloading": (_on, "activations are moved by Unsloth's own way"),
    "torch_compile": (_on, "Unsloth compiles what it needs"),
    "use_liger_kernel": (_on, "Unsloth has kernels of its own"),
    "auto_find_batch_size": (_on, "Unsloth's trainers change the batch by themselves then"),
    "neftune_noise_alpha": (_given, "it was never tried with Unsloth"),
    "deepspeed": (_given, "this backend trains on one GPU"),
    "fsdp": (_on, "this backend trains on one GPU"),
    "fsdp_config": (_given, "this backend trains on one GPU"),
    "parallelism_config": (_given, "this backend trains on one GPU"),
    "dataset_kwargs": (_given, "rows are tokenised before Unsloth sees them"),
    "dataset_num_proc": (_given, "rows are tokenised before Unsloth sees them"),
    "chat_template_path": (_given, "rows are tokenised before Unsloth sees them"),
    "completion_only_loss": (_given, "rows are tokenised before Unsloth sees them"),
    "assistant_only_loss": (_on, "rows are tokenised before Unsloth sees them"),
    "padding_free": (_on, "only padded batches were tried"),
    "packing": (_on, "packed rows were never tried"),
    "precompute_ref_log_probs": (_on, "it was never tried with Unsloth"),
    "sync_ref_model": (_on, "it was never tried with Unsloth"),
    "use_vllm": (_on, "sampling by vLLM was never tried with Unsloth"),
    "use_transformers_paged": (_on, "Unsloth samples by its own way"),
    "use_adaptive_entropy": (_on, "Unsloth passes over it"),
    "router_aux_loss_coef": (_not_zero, "Unsloth has no such term in its losses"),
    "tools": (_given, "it was never tried with Unsloth"),
}
"""Settings of the engine that this backend can't keep, by what of them is refused, with the reason."""
_ADAPTERS_REFUSED = ("use_dora", "target_parameters", "trainable_token_indices", "loftq_config", "modules_to_save")
_MOST_TEMPERATURE = 10


def job_problems(job: Job) -> Iterator[Problem]:
    """Every problem that this backend finds in a job."""
    yield from environment_problems()
    yield from setting_problems(job)
    yield from _model_problems(job)
    yield from _value_problems(job)
    for name, value in job.backend_args.items():
        applies, reason = REFUSED.get(name, (None, ""))
        if applies and applies(value):
            key = f"backend_args.{name}"
            yield Problem("not-settable", f"'{key}' can't be kept by backend 'unsloth': {reason}.", _TRL, key)
    adapters = job.backend_args.get("lora")
    named = adapters if isinstance(adapters, dict) else {}
    for name in _ADAPTERS_REFUSED:
        if named.get(name):
            key = f"backend_args.lora.{name}"
            yield Problem("not-settable", f"'{key}' was never tried with Unsloth.", _TRL, key)


def environment_problems() -> Iterator[Problem]:
    """What stops every job of this backend, in this process or on this machine."""
    if int(os.environ.get("WORLD_SIZE") or 1) > 1:
        message = "backend 'unsloth' trains on one GPU, and this process is one of several."
        yield Problem("process-conflict", message, "Start it without torchrun, or use backend='trl'.", "backend")
    elif (seen := cuda_device_count()) > 1:
        message = f"backend 'unsloth' trains on one GPU, and this process sees {seen}."
        yield Problem("process-conflict", message, "Set CUDA_VISIBLE_DEVICES=0, or use backend='trl'.", "backend")


def _model_problems(job: Job) -> Iterator[Problem]:
    kind = model_source(job.model_name).kind if job.model_name else None
    if kind is ModelKind.GGUF:
        message = f"backend 'unsloth' does not load a .gguf file, and '{job.model_name}' is one."
        yield Problem("unsupported-feature", message, "Use backend='trl'.", "model_name")
    if job.load_in_4bit and not job.use_peft:
        message = "'load_in_4bit' without adapters leaves nothing to train."
        yield Problem("contradiction", message, "Add use_peft: true.", "load_in_4bit")
    if job.load_in_4bit and str(job.model_name or "").lower().endswith("-bf16"):
        message = f"unsloth loads '{job.model_name}' in 16 bits, whatever is asked: its name ends in '-bf16'."
        yield Problem("contradiction", message, "Name a local copy of it, or leave load_in_4bit out.", "load_in_4bit")


def _value_problems(job: Job) -> Iterator[Problem]:
    if job.precision and job.precision != "bf16":
        message = f"backend 'unsloth' computes in bf16, and the job asks for {job.precision}."
        yield Problem("precision", message, "Leave precision out, or use backend='trl'.", "precision")
    recipe = RECIPES.get(job.algorithm or "")
    temperature: Any = job.temperature if job.is_set("temperature") else None
    if recipe and recipe.samples and temperature is not None and not 0 < temperature < _MOST_TEMPERATURE:
        message = f"'temperature' is {temperature}, but unsloth samples with one between 0 and {_MOST_TEMPERATURE}."
        yield Problem("out-of-range", message, "", "temperature")
