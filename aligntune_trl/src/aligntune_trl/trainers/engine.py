"""How the model that TRL's trainers train is loaded and set up: the seam at which another engine is laid in."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Protocol

from aligntune_trl.trainers.engine_config import adapter_config, configured, loading_arguments

if TYPE_CHECKING:
    from aligntune_trl.models.ingredients import Ingredients


class Engine(Protocol):
    """What an engine that trains by TRL's trainers decides by itself; all else is the same for all of them.

    A trainer is made in this order: the configuration, the rows as the engine takes them, then the model, and last the
    trainer of the class that the engine gives.
    """

    @property
    def packages(self) -> frozenset[str]:
        """Packages whose ValueErrors, while a trainer is made, are refusals of the job's settings."""

    def configuration(self, made_of: Ingredients, kind: type, arguments: dict[str, Any]) -> Any:
        """The trainer's configuration.

        Args:
            made_of: The job and what was loaded for it.
            kind: The configuration's class.
            arguments: What the job comes to, by the class's names.

        Raises:
            JobError: If the engine refuses a setting.
        """

    def prepared(self, made_of: Ingredients, config: Any) -> Ingredients:
        """The same with rows as the engine takes them.

        Args:
            made_of: The job and what was loaded for it, demonstrations in tokens.
            config: The trainer's configuration.
        """

    def model(self, made_of: Ingredients, config: Any) -> dict[str, Any]:
        """The keywords by which one of TRL's trainers gets its model and what goes on it.

        Args:
            made_of: The job and what was loaded for it.
            config: The trainer's configuration.

        Raises:
            ModelError: If the model can't be loaded.
        """

    def policy(self, made_of: Ingredients, config: Any) -> Any:
        """The model that this project's PPO trains, with its adapters.

        Args:
            made_of: The job and what was loaded for it.
            config: The trainer's configuration.

        Raises:
            ModelError: If the model can't be loaded.
        """

    def trainer(self, made_of: Ingredients, kind: type) -> type:
        """The trainer's class, or the engine's own subclass of it.

        Args:
            made_of: The job and what was loaded for it.
            kind: The class that the algorithm's recipe names.
        """

    def settle(self, made_of: Ingredients, native: Any) -> None:
        """See to what the trainer made of its configuration, before anything else is done with it.

        Args:
            made_of: The job and what was loaded for it.
            native: The trainer.

        Raises:
            JobError: If it is no longer what the job asks for.
        """

    def merged(self, model: Any) -> Any:
        """A copy of a model with its adapter folded into its weights.

        Args:
            model: The trained model, a peft model.
        """


class PlainEngine:
    """transformers loads the model, and TRL puts peft's adapters on it."""

    packages = frozenset({"trl", "peft"})

    def configuration(self, made_of: Ingredients, kind: type, arguments: dict[str, Any]) -> Any:
        """The configuration, which also says how the model is to be loaded."""
        if not made_of.recipe.is_own and (quantised := loading_arguments(made_of.job)):
            arguments["model_init_kwargs"] = {**(arguments.get("model_init_kwargs") or {}), **quantised}
        return configured(kind, arguments)

    def prepared(self, made_of: Ingredients, config: Any) -> Ingredients:
        """The rows as they are."""
        return made_of

    def model(self, made_of: Ingredients, config: Any) -> dict[str, Any]:
        """The model's place, and the adapters as peft takes them."""
        adapters = adapter_config(made_of)
        return {"model": made_of.model, **({"peft_config": adapters} if adapters else {})}

    def policy(self, made_of: Ingredients, config: Any) -> Any:
        """The policy in float32, or in 4 bits, with peft's adapters."""
        import torch

        from aligntune_core.kit.loading import load_model

        job = made_of.job
        policy = load_model(
            made_of.model,
            job.model_name,
            trust_remote_code=job.trust_remote_code,
            dtype=torch.float32,
            **loading_arguments(job),
        )
        if adapters := adapter_config(made_of):
            from peft import get_peft_model

            policy = get_peft_model(policy, adapters)
        return policy

    def trainer(self, made_of: Ingredients, kind: type) -> type:
        """The class as it is."""
        return kind

    def settle(self, made_of: Ingredients, native: Any) -> None:
        """Nothing: TRL's trainers keep what they are given, or say so."""

    def merged(self, model: Any) -> Any:
        """A copy in memory, merged by peft."""
        return copy.deepcopy(model).merge_and_unload()


PLAIN = PlainEngine()
"""TRL's own way."""
