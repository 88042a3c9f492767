"""The value model: a decoder with a scalar head at every position, and the copies that hold no weight twice."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from aligntune_core.errors import CheckpointError, ModelError
from aligntune_trl.ppo.decoder import forward_arguments, without_adapter_shell

if TYPE_CHECKING:
    from torch import Tensor

FOLDER = "value_model"
"""The folder of a checkpoint that holds the value model's trained weights."""
WEIGHTS = "model.safetensors"


class ValueModel(nn.Module):  # type: ignore[misc]
    """Predicts, at every position of a sequence, the return still to come.

    Args:
        backbone: A decoder without a head, whose output has ``last_hidden_state``.
        head: Maps a hidden state to one number.
        origin: What it was made from, in words.
    """

    def __init__(self, backbone: Any, head: nn.Module, origin: str) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.origin = origin

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The values, (batch, tokens).

        Args:
            input_ids: Prompts and completions, (batch, tokens).
            attention_mask: 1 on tokens and 0 on padding, (batch, tokens).
        """
        hidden = self.backbone(input_ids=input_ids, **forward_arguments(self.backbone, attention_mask))
        states = hidden.last_hidden_state
        weight = next(self.head.parameters())
        return self.head(states.to(weight.dtype)).squeeze(-1)


def copy_trained(model: Any) -> Any:
    """A copy of a model that shares its frozen weights: with LoRA only the adapter is there twice.

    Args:
        model: Any module; its parameters that require gradients are copied, the others are the same tensors.
    """
    shared = {id(parameter): parameter for parameter in model.parameters() if not parameter.requires_grad}
    return copy.deepcopy(model, shared)


def frozen_copy(model: Any) -> Any:
    """A copy that stays as the model is now: a reference. It shares the model's frozen weights.

    With LoRA this is the model with its adapter as it is at the start, which for a fresh adapter equals the model
    without one.

    Args:
        model: The model.
    """
    return copy_trained(model).requires_grad_(False).eval()


def value_model_from_policy(policy: Any) -> ValueModel:
    """A value model that starts as the policy's backbone under a head of zeros.

    A policy with LoRA gives a backbone with LoRA layers of its own, of the same shape, on the policy's frozen
    weights: the second model costs no more memory than its adapter.

    Args:
        policy: A causal language model, with or without a PEFT adapter.
    """
    model = without_adapter_shell(policy)
    backbone = copy_trained(model.base_model)
    embedding = model.get_input_embeddings().weight
    trained = next((weight for weight in policy.parameters() if weight.requires_grad), embedding)
    head = nn.Linear(model.config.get_text_config().hidden_size, 1, bias=False)
    nn.init.zeros_(head.weight)
    return ValueModel(backbone, head.to(embedding.device, trained.dtype), "the policy")


def value_model_from_reward_model(reward_model: Any, policy: Any) -> ValueModel:
    """A value model that starts as the reward model, its score read at every position.

    Where the policy is trained with LoRA, so is the value model, by the same configuration, on the reward model's own
    frozen weights; otherwise all of it is trained, as a copy.

    Args:
        reward_model: A sequence classifier of one label with a ``score`` head. With LoRA its weights get frozen.
        policy: The policy it will go with.

    Raises:
        ModelError: If the reward model is no decoder with a ``score`` head, is a PEFT model, or has none of the
            layers that the policy's LoRA trains.
    """
    if hasattr(reward_model, "get_base_model") or not hasattr(reward_model, "score"):
        raise ModelError(
            f"The value model can't start as the reward model: {type(reward_model).__name__} is "
            + ("a PEFT model." if hasattr(reward_model, "get_base_model") else "no decoder with a 'score' head."),
            fix="Merge the reward model's adapter into it, or give a value_model.",
        )
    lora = _adapter_config(policy)
    dtype = next((weight.dtype for weight in policy.parameters() if weight.requires_grad), torch.float32)
    head = copy.deepcopy(reward_model.score).to(dtype).requires_grad_(True)
    if lora is None:
        backbone = copy.deepcopy(reward_model.base_model).to(dtype).requires_grad_(True)
        return ValueModel(backbone, head, "the reward model")
    from peft import inject_adapter_in_model

    reward_model.requires_grad_(False)
    try:
        backbone = inject_adapter_in_model(copy.deepcopy(lora), copy_trained(reward_model.base_model), "default")
    except ValueError as error:
        raise ModelError(
            f"The value model can't start as the reward model: {type(reward_model).__name__} has none of the layers "
            f"that the policy's adapter trains ({error}).",
            fix="Give a value_model, or LoRA target modules that both models have.",
        ) from error
    for weight in backbone.parameters():
        if weight.requires_grad:
            weight.data = weight.data.to(dtype)
    return ValueModel(backbone, head, "the reward model")


def save_value_model(model: ValueModel, checkpoint: str | Path) -> Path:
    """Write the trained weights of a value model into a checkpoint.

    Args:
        model: The value model.
        checkpoint: The checkpoint's folder.

    Returns:
        The file.
    """
    path = Path(checkpoint) / FOLDER / WEIGHTS
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: weight.detach().contiguous() for name, weight in _trained(model).items()}, path)
    return path


def load_value_model(model: ValueModel, checkpoint: str | Path) -> None:
    """Put the weights of a checkpoint into a value model.

    Args:
        model: The value model.
        checkpoint: The checkpoint's folder.

    Raises:
        CheckpointError: If the file is missing, broken, or holds another model's weights.
    """
    path = Path(checkpoint) / FOLDER / WEIGHTS
    fix = "Resume from another checkpoint, or start again."
    if not path.is_file():
        raise CheckpointError(f"The checkpoint '{checkpoint}' has no value model: '{path}' is missing.", fix=fix)
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"The value model in '{path}' can't be read: {error}.", fix=fix) from error
    trained = _trained(model)
    if {name: weight.shape for name, weight in weights.items()} != {n: w.shape for n, w in trained.items()}:
        raise CheckpointError(
            f"The value model in '{path}' has other weights than this run's value model: the model, its adapter or "
            "the reward model has changed.",
            fix="Resume with the models and adapter settings that the run started with.",
        )
    with torch.no_grad():
        for name, weight in trained.items():
            weight.copy_(weights[name])


def _trained(model: ValueModel) -> dict[str, Tensor]:
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}


def _adapter_config(policy: Any) -> Any:
    return policy.peft_config[policy.active_adapter] if hasattr(policy, "get_base_model") else None
