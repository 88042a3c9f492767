"""Whether a training left its model's weights finite and changed any, where the model is torch's."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import RunError
from aligntune_core.kit.weights import checksums, require_finite_weights

if TYPE_CHECKING:
    from aligntune_core.trainer import Trainer


class Weights:
    """The trained weights of a trainer's model, as they were when a training began and as they are.

    Args:
        trainer: The backend's trainer.
    """

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._before: tuple[int, ...] = ()

    def begin(self) -> None:
        """Remember the weights as they are: a checkpoint that is gone on from is loaded by now."""
        self._before = self._checksums()

    @property
    def are_unchanged(self) -> bool:
        """Whether no weight is another than when the training began, as far as this is known."""
        return bool(self._before) and self._before == self._checksums()

    def require_finite(self, step: int) -> None:
        """Refuse weights that are infinite or not numbers.

        Args:
            step: How many steps they were trained.

        Raises:
            RunError: If one is not finite.
        """
        model = self._module()
        if model is None:
            return
        try:
            require_finite_weights(model, step)
        except RunError:
            raise
        except Exception:
            # an engine may hold its weights in a way that can't be looked into: that is no fault of the run
            return

    def _checksums(self) -> tuple[int, ...]:
        model = self._module()
        with suppress(Exception):
            return () if model is None or self._are_spread() else checksums(model)
        return ()

    def _module(self) -> Any | None:
        """The model, if it is torch's; torch is not imported to find that out."""
        torch = sys.modules.get("torch")
        with suppress(Exception):
            model = self._trainer.model
            return model if torch is not None and isinstance(model, torch.nn.Module) else None
        return None

    def _are_spread(self) -> bool:
        """Whether several processes train: each may hold parts of the weights, and not look at them alike."""
        distributed = getattr(sys.modules.get("torch"), "distributed", None)
        return bool(
            distributed
            and distributed.is_available()
            and distributed.is_initialized()
            and distributed.get_world_size() > 1
        )
