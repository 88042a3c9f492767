"""A trained adapter folded into the weights that it was trained on."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import Any


def merged_anew(model: Any) -> Any:
    """The model as its files have it, with the adapter folded in, in the host's memory.

    Args:
        model: A peft model on weights that are not quantised.
    """
    from peft import PeftModel

    inside = model.get_base_model()
    labels = {"num_labels": inside.config.num_labels} if hasattr(inside, "score") else {}
    base = type(inside).from_pretrained(inside.config._name_or_path, dtype="auto", **labels)  # noqa: SLF001 - as peft does
    with TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return PeftModel.from_pretrained(base, folder).merge_and_unload()
