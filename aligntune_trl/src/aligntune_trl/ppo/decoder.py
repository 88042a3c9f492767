"""What policy, value and reward model have in common: a decoder, perhaps inside an adapter, and how it is called."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def without_adapter_shell(model: Any) -> Any:
    """The transformers model inside a PEFT model, with the adapter's layers in it; other models as they are."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def forward_arguments(model: Any, attention_mask: Tensor) -> dict[str, Any]:
    """What a decoder takes beside its input ids: the mask, and positions that padding on the left does not shift.

    Args:
        model: The decoder.
        attention_mask: 1 on tokens and 0 on padding, (batch, tokens).
    """
    arguments: dict[str, Any] = {"attention_mask": attention_mask, "use_cache": False}
    if "position_ids" in inspect.signature(without_adapter_shell(model).forward).parameters:
        arguments["position_ids"] = (attention_mask.cumsum(-1) - 1).clamp_min(0)
    return arguments
