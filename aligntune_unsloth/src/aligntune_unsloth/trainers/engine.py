"""Unsloth, laid in where the TRL backend lets an engine load and set up what its trainers train."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from aligntune_core import JobError, ModelError, Problem
from aligntune_trl.trainers.engine_config import configured
from aligntune_unsloth.models.loading import CHECKPOINTING, load_model
from aligntune_unsloth.models.merging import merged_anew
from aligntune_unsloth.trainers.rows import cut_and_masked
from aligntune_unsloth.trainers.settings import require_same, rewritten_configuration

if TYPE_CHECKING:
    from aligntune_trl.models.ingredients import Ingredients

_LATER = ("bf16_full_eval", "eval_accumulation_steps", "per_device_eval_batch_size", "gradient_checkpointing_kwargs")
"""What a trainer of Unsloth's changes while it is made and reads again when it evaluates: put back as the job has it.

In full bf16 an evaluation would round the trained weights themselves.
"""


class UnslothEngine:
    """Unsloth's models under TRL's trainers as Unsloth has rewritten them."""

    packages = frozenset({"trl", "peft", "unsloth", "unsloth_zoo"})

    def __init__(self) -> None:
        self._recomputes = False
        self._said: dict[str, Any] = {}

    def configuration(self, made_of: Ingredients, kind: type, arguments: dict[str, Any]) -> Any:
        """The configuration, every field of which is what TRL itself would make of the job."""
        if made_of.recipe.is_own:
            config = configured(kind, arguments)
            self._recomputes = bool(config.gradient_checkpointing)
            # the model recomputes by Unsloth's own way, which transformers' would replace
            config.gradient_checkpointing = False
        else:
            room = _room(made_of, arguments.get("max_length", _default(kind, "max_length")))
            config = rewritten_configuration(kind, arguments, room)
            self._recomputes = bool(config.gradient_checkpointing)
        return config

    def prepared(self, made_of: Ingredients, config: Any) -> Ingredients:
        """Demonstrations cut, with masks of what is learned; other rows as they are."""
        return cut_and_masked(made_of, config)

    def model(self, made_of: Ingredients, config: Any) -> dict[str, Any]:
        """The model itself, with its adapters: Unsloth's trainers pass over adapters that are asked of them."""
        return {"model": self._loaded(made_of, config)}

    def policy(self, made_of: Ingredients, config: Any) -> Any:
        """The policy with its adapters."""
        return self._loaded(made_of, config)

    def trainer(self, made_of: Ingredients, kind: type) -> type:
        """The class as Unsloth has rewritten it; for this project's PPO, one that switches Unsloth's modes."""
        if made_of.recipe.is_own:
            from aligntune_unsloth.trainers.ppo import switching

            return switching(kind, recomputing=CHECKPOINTING if self._recomputes else False)
        return kind

    def settle(self, made_of: Ingredients, native: Any) -> None:
        """Put back what the trainer changed for its evaluations, and refuse what it changed for its training.

        Args:
            made_of: The job and what was loaded for it.
            native: The trainer.

        Raises:
            JobError: With every field that is no longer what the job comes to.
        """
        if made_of.recipe.is_own:
            return
        if "ref" in getattr(native.model, "peft_config", {}):
            # a copy of an adapter that is fresh: the model without one says the same, and transformers, which finds
            # the copy in a checkpoint, would go on with the copy's weights alone
            native.model.delete_adapter("ref")
        config = native.args
        for name in _LATER:
            if name in self._said:
                setattr(config, name, deepcopy(self._said[name]))
        changed = {"max_length"} if self._said.get("max_length") is None else set()
        require_same(_Values(self._said), config, set(self._said) - changed)

    def merged(self, model: Any) -> Any:
        """The model as its files have it, with the adapter merged by peft: a model that has sampled can't be copied."""
        return merged_anew(model)

    def _loaded(self, made_of: Ingredients, config: Any) -> Any:
        self._said = {field.name: deepcopy(getattr(config, field.name)) for field in fields(config) if field.init}
        room = _room(made_of, getattr(config, "max_length", None))
        return load_model(made_of, room=room, seed=config.seed, checkpointing=self._recomputes)


class _Values:
    """A configuration's values, kept.

    Args:
        values: The values by name.
    """

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


def _default(kind: type, name: str) -> Any:
    return next((field.default for field in fields(kind) if field.name == name), None)


def _room(made_of: Ingredients, length: int | None) -> int:
    """Tokens that the longest sequence may have, beyond which Unsloth's models cut.

    Args:
        made_of: The job and what was loaded for it.
        length: What rows are cut to; None where they are not, or where the model writes.
    """
    context = made_of.context
    if length is None:
        if context is None:
            raise ModelError(
                f"the model '{made_of.job.model_name}' doesn't say how many tokens it holds, as unsloth has to know.",
                fix="Set max_position_embeddings in its config.json, or use backend='trl'.",
            )
        return context
    if context is not None and length > context:
        message = f"max_length is {length}, but '{made_of.job.model_name}' holds {context} tokens."
        fix = "Set max_seq_length to that or less: unsloth would stretch the model's positions."
        raise JobError([Problem("out-of-range", message, fix, "max_seq_length")])
    return length
