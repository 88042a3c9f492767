"""A .gguf file, or an adapter merged into its base, written out once as a folder that transformers loads by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.events import Notice
from aligntune_core.kit.loading import loading
from aligntune_core.kit.model_places import available, tokenizer_place, written_out
from aligntune_core.models.cache import make_folder
from aligntune_core.models.source import ModelKind

if TYPE_CHECKING:
    from pathlib import Path

    from aligntune_core.events import Listener

_SCORING = "SEQ_CLS"
"""What peft calls a model that scores texts."""


def starting_model(model_name: str, emit: Listener) -> str:
    """The starting model as transformers loads it by name: a hub id or a folder.

    A .gguf file is written out as a folder of plain weights, and a folder that holds an adapter as one with the
    adapter merged into its base, once, in AlignTune's cache; the engine then finds its reference model, and a resumed
    run its base, under the same name.

    Args:
        model_name: The model, as a job names it.
        emit: Where it is said that something is written out.

    Raises:
        ModelError: If the model can't be loaded.
    """
    source = available(model_name)
    path, folder = source.path, written_out(source)
    if folder is None or path is None:
        return source.place
    if not (folder / "config.json").is_file():
        adapter = source.kind is ModelKind.ADAPTER
        how = "its adapter merged into its base model" if adapter else "plain weights"
        emit(Notice(f"'{model_name}' is written out once with {how}, to {folder}."))
        with loading(model_name):
            make_folder(folder, lambda made: (_write_merged if adapter else _write_gguf)(path, made))
    return str(folder)


def _write_gguf(file: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    model = AutoModelForCausalLM.from_pretrained(
        str(file.parent),
        gguf_file=file.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.float32,
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name).save_pretrained(folder)


def _write_merged(adapter: Path, folder: Path) -> None:
    import torch
    from peft import AutoPeftModelForCausalLM, AutoPeftModelForSequenceClassification, PeftConfig
    from transformers import AutoTokenizer

    if PeftConfig.from_pretrained(str(adapter)).task_type == _SCORING:
        model = AutoPeftModelForSequenceClassification.from_pretrained(str(adapter), dtype=torch.float32, num_labels=1)
    else:
        model = AutoPeftModelForCausalLM.from_pretrained(str(adapter), dtype=torch.float32)
    model.merge_and_unload().save_pretrained(folder)
    AutoTokenizer.from_pretrained(tokenizer_place(adapter)).save_pretrained(folder)
