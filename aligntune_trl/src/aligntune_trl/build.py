"""From a job to a TRL trainer: the one place where the engine is imported."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aligntune_core.data.prepare import prepare_job

from aligntune_core import DataError, Notice
from aligntune_trl.arguments import config_arguments, lora_arguments
from aligntune_trl.checkpoints import resume_from
from aligntune_trl.models import load_model, load_tokenizer, loading
from aligntune_trl.recipes import RECIPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core import Job, Listener
    from aligntune_trl.recipes import Recipe
    from aligntune_trl.trainer import TRLTrainer


def build_trainer(job: Job, emit: Listener) -> TRLTrainer:
    """Load what a job names and hand it to TRL.

    Args:
        job: A job that passed every check.
        emit: Where events go.

    Raises:
        DataError: If the dataset can't be used.
        ModelError: If the model can't be loaded.
        CheckpointError: If the job resumes and there is no whole checkpoint.
    """
    recipe = RECIPES[job.algorithm]
    checkpoint, _ = resume_from(job)
    train, evaluation = prepare_job(job, recipe.kind, emit)
    with _quiet():
        import trl

        from aligntune_trl.reporting import EventCallback
        from aligntune_trl.trainer import TRLTrainer

        tokenizer = load_tokenizer(job, emit)
        arguments = config_arguments(job, recipe)
        model = load_model(job, emit)
        if job.load_in_4bit:
            arguments["model_init_kwargs"] = {**(arguments.get("model_init_kwargs") or {}), **_four_bits(job)}
        rows = _tokenized(train.rows, tokenizer)
        eval_rows = _tokenized(evaluation.rows, tokenizer) if evaluation else None
        with loading(job.model_name):
            config = getattr(trl, recipe.config)(**arguments)
            native = getattr(trl, recipe.trainer)(
                model=model,
                args=config,
                train_dataset=rows,
                eval_dataset=eval_rows,
                processing_class=tokenizer,
                callbacks=[EventCallback(emit)],
                **_adapters(job),
                **_reference(job, recipe, model),
            )
    _remove_printer(native)
    _say_dropped(len(rows), native, config, emit)
    return TRLTrainer(job, native, tokenizer, checkpoint, emit)


def _tokenized(rows: Any, tokenizer: Any) -> Any:
    if "messages" not in rows.column_names:
        return rows
    from aligntune_trl.conversations import tokenize_conversation

    return rows.map(lambda row: tokenize_conversation(row["messages"], tokenizer), remove_columns=rows.column_names)


def _adapters(job: Job) -> dict[str, Any]:
    if not job.use_peft:
        return {}
    from peft import LoraConfig

    return {"peft_config": LoraConfig(**lora_arguments(job))}


def _reference(job: Job, recipe: Recipe, model: Any) -> dict[str, Any]:
    # TRL loads the reference by the model's name; a model that was handed over has none that it could load
    if recipe.reference and not job.use_peft and not isinstance(model, str):
        return {"ref_model": copy.deepcopy(model)}
    return {}


def _four_bits(job: Job) -> dict[str, Any]:
    import torch
    from transformers import BitsAndBytesConfig

    compute = torch.float16 if job.precision == "fp16" else torch.bfloat16
    # arXiv 2305.14314, section 3: 4-bit NormalFloat with double quantisation
    return {
        "quantization_config": BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=compute,
        )
    }


def _remove_printer(native: Any) -> None:
    from transformers.trainer_callback import PrinterCallback

    native.remove_callback(PrinterCallback)


def _say_dropped(given: int, native: Any, config: Any, emit: Listener) -> None:
    if getattr(config, "packing", False):
        return
    dropped = given - len(native.train_dataset)
    if not dropped:
        return
    message = (
        f"{dropped} of {given} rows have nothing left to learn from, because their prompts alone fill "
        f"max_seq_length={config.max_length}"
    )
    if dropped == given:
        raise DataError(f"{message}.", fix="Raise max_seq_length.")
    emit(Notice(f"{message}: TRL leaves them out.", warning=True))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the progress bars of datasets and transformers, whose state is put back afterwards."""
    import datasets
    from transformers.utils import logging as transformers_logging

    bars = datasets.is_progress_bar_enabled()
    loading_bars = transformers_logging.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if bars:
            datasets.enable_progress_bars()
        if loading_bars:
            transformers_logging.enable_progress_bar()
