"""The training of a policy with its value model as one module: one optimiser, and checkpoints of the policy's form."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from transformers import Trainer

from aligntune_core.errors import RunError
from aligntune_trl.ppo.optimizing import all_finite, set_learning_rate
from aligntune_trl.ppo.value_model import ValueModel, load_value_model, save_value_model

if TYPE_CHECKING:
    from collections.abc import Iterator


class ActorCriticTrainer(Trainer):  # type: ignore[misc]
    """transformers' trainer, where ``model`` is an :class:`ActorCritic`.

    What it saves and loads as its model is the policy alone; a checkpoint holds the value model's trained weights
    beside it. Nothing that is no longer finite is saved.
    """

    model: Any

    @property
    def policy(self) -> Any:
        """The policy alone."""
        return self.model.policy

    @property
    def value_model(self) -> ValueModel:
        """The value model."""
        value_model: ValueModel = self.model.value_model
        return value_model

    def create_optimizer(self, *args: Any, **kwargs: Any) -> Any:
        """One optimiser for the policy and the value model, with the value model's own rate if it has one."""
        is_new = self.optimizer is None
        optimizer = super().create_optimizer(*args, **kwargs)
        if is_new and self.args.value_learning_rate is not None:
            set_learning_rate(optimizer, self.value_model, self.args.value_learning_rate)
        return optimizer

    def require_finite_weights(self) -> None:
        """Stop where training diverged.

        Raises:
            RunError: If weights are no longer finite.
        """
        if not all_finite(self.model):
            raise RunError(
                f"The weights are no longer finite after step {self.state.global_step}.",
                fix="Lower learning_rate, or lower max_grad_norm.",
            )

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        self.require_finite_weights()
        with self._policy_as_model():
            super()._save(output_dir, state_dict)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if self.args.should_save:
            save_value_model(self.value_model, output_dir)
        super()._save_optimizer_and_scheduler(output_dir)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        with self._policy_as_model():
            super()._load_from_checkpoint(resume_from_checkpoint, model)
        load_value_model(self.value_model, resume_from_checkpoint)

    def _load_best_model(self) -> None:
        with self._policy_as_model():
            super()._load_best_model()

    @contextmanager
    def _policy_as_model(self) -> Iterator[None]:
        """Let transformers' code for saving and loading see the policy alone."""
        both, self.model = self.model, self.policy
        try:
            yield
        finally:
            self.model = both
