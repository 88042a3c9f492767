"""This project's PPO on a model of Unsloth's, which has one mode for sampling and another for learning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def switching(kind: type, *, recomputing: str | bool) -> type:
    """A PPO trainer that puts the policy into Unsloth's mode for what it is about to do.

    A model that has sampled keeps its cache and no longer recomputes activations until it is told to learn again. In
    learning, Unsloth's decoders leave the attention mask out unless each of them is told that padding is on the left.

    Args:
        kind: The trainer's class.
        recomputing: Unsloth's way to recompute activations, False for none.
    """
    import unsloth

    class UnslothPPOTrainer(kind):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            for decoder in _decoders(self.model, self.reference):
                decoder._unsloth_keep_padding_mask = True  # noqa: SLF001 - the only word for it
            unsloth.FastLanguageModel.for_training(self.value_model.backbone, use_gradient_checkpointing=recomputing)

        def _roll_out(self, rows: Any) -> Any:
            unsloth.FastLanguageModel.for_inference(self.policy)
            return super()._roll_out(rows)

        def _learn(self, model: Any, experience: Any) -> Any:
            unsloth.FastLanguageModel.for_training(self.policy, use_gradient_checkpointing=recomputing)
            return super()._learn(model, experience)

    UnslothPPOTrainer.__name__ = kind.__name__
    return UnslothPPOTrainer


def _decoders(*models: Any) -> Iterator[Any]:
    for model in models:
        yield from (module for module in model.modules() if hasattr(module, "embed_tokens"))
