"""The policy and its value model as one module, so that one optimiser, one clip and one wrapper hold both."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import nn

from aligntune_trl.ppo.decoder import forward_arguments, without_adapter_shell
from aligntune_trl.ppo.losses import entropy

if TYPE_CHECKING:
    from torch import Tensor

    from aligntune_trl.ppo.value_model import ValueModel


class TokenScores(NamedTuple):
    """What a policy says about sampled tokens, all (batch, completion tokens), and the values of the states before.

    ``values`` and ``entropy`` are None where they were not asked for.
    """

    log_probs: Tensor
    values: Tensor | None = None
    entropy: Tensor | None = None


def score_tokens(
    model: Any,
    input_ids: Tensor,
    attention_mask: Tensor,
    completion_length: int,
    temperature: float,
    *,
    with_entropy: bool = False,
) -> TokenScores:
    """Log-probabilities of the last tokens of each sequence, in float32.

    Args:
        model: A causal language model.
        input_ids: Prompts and completions, (batch, tokens).
        attention_mask: 1 on tokens and 0 on padding, (batch, tokens).
        completion_length: How many tokens at the end are the completion.
        temperature: What the logits are divided by, as they were in sampling.
        with_entropy: Whether to return the entropy of each distribution too, in nats.
    """
    arguments = forward_arguments(model, attention_mask)
    if "logits_to_keep" in inspect.signature(without_adapter_shell(model).forward).parameters:
        arguments["logits_to_keep"] = completion_length + 1
    logits = model(input_ids=input_ids, **arguments).logits[:, -(completion_length + 1) : -1].float()
    if temperature != 1:
        logits = logits / temperature
    chosen = logits.gather(-1, input_ids[:, -completion_length:, None]).squeeze(-1)
    spread = entropy(logits) if with_entropy else None
    return TokenScores(chosen - logits.logsumexp(-1), entropy=spread)


class ActorCritic(nn.Module):  # type: ignore[misc]
    """The policy and the value model.

    Args:
        policy: A causal language model, with or without a PEFT adapter.
        value_model: Predicts the return of the policy's states.
    """

    def __init__(self, policy: Any, value_model: ValueModel) -> None:
        super().__init__()
        self.policy = policy
        self.value_model = value_model

    @property
    def config(self) -> Any:
        """The policy's configuration."""
        return self.policy.config

    @property
    def generation_config(self) -> Any:
        """The policy's settings of generation."""
        return self.policy.generation_config

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        completion_length: int,
        temperature: float,
        with_entropy: bool = False,
    ) -> TokenScores:
        """Log-probabilities and values of the last tokens; the arguments are those of :func:`score_tokens`."""
        scores = score_tokens(
            self.policy, input_ids, attention_mask, completion_length, temperature, with_entropy=with_entropy
        )
        values = self.value_model(input_ids, attention_mask)[:, -(completion_length + 1) : -1]
        return scores._replace(values=values.float())

    def gradient_checkpointing_enable(self, gradient_checkpointing_kwargs: dict[str, Any] | None = None) -> None:
        """Recompute activations in the backward pass, in both models.

        Args:
            gradient_checkpointing_kwargs: What goes to torch's checkpoint; not re-entrant by default, because
                re-entrant checkpoints lose the gradients of adapters on frozen weights.
        """
        kwargs = gradient_checkpointing_kwargs or {"use_reentrant": False}
        for model in (self.policy, self.value_model.backbone):
            if hasattr(model, "activation_checkpointing_enable"):
                model.activation_checkpointing_enable(activation_checkpointing_kwargs=kwargs)
            else:
                model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=kwargs)
            if kwargs.get("use_reentrant"):
                model.enable_input_require_grads()

    def activation_checkpointing_enable(
        self, activation_checkpointing_kwargs: dict[str, Any] | None = None, **options: Any
    ) -> None:
        """The same under the name it has in transformers 5.

        Args:
            activation_checkpointing_kwargs: What goes to torch's checkpoint.
            options: transformers' further options; each model gets them as they are.
        """
        kwargs = activation_checkpointing_kwargs or {"use_reentrant": False}
        for model in (self.policy, self.value_model.backbone):
            model.activation_checkpointing_enable(activation_checkpointing_kwargs=kwargs, **options)
