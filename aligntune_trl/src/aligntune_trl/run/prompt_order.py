"""Prompts in one order, whether a run was stopped or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transformers import TrainerState

if TYPE_CHECKING:
    from pathlib import Path


def keep_prompt_order(native: Any, checkpoint: Path) -> None:
    """Let a resumed run go on with the order of the epoch it is in.

    The sampler of TRL's online trainers draws every epoch's order from a generator of its own, which no checkpoint
    holds, so that a run resumed after its first epoch would draw that epoch's order again.

    Args:
        native: The trainer.
        checkpoint: What it goes on from.
    """
    original = native._get_train_sampler  # noqa: SLF001 - there is no public name for it

    def sampler(*arguments: Any, **keywords: Any) -> Any:
        made = original(*arguments, **keywords)
        state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
        for _ in range(int(state.epoch or 0)):
            next(iter(made), None)  # the first index draws the order of the whole epoch
        return made

    native._get_train_sampler = sampler  # noqa: SLF001
