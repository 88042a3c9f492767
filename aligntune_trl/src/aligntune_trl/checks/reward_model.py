"""Whether a model gives one score for a text, told from its configuration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aligntune_core import ModelError, Problem
from aligntune_core.models.source import ModelKind, model_source
from aligntune_trl.translation.recipes import SCORING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TRAIN_ONE = "Train one with algorithm: reward, or name a sequence classifier with one label."
_LABELS = 2
"""What transformers takes for granted where a configuration does not say."""


def require_scores(name: str, config: Any) -> None:
    """Refuse a model that gives no score, or several.

    Args:
        name: The model, as the job names it.
        config: Its configuration, as transformers loads it.

    Raises:
        ModelError: If it is no sequence classifier with one label.
    """
    if fault := _fault(name, config.architectures or [], config.num_labels):
        message, fix = fault
        raise ModelError(message, fix=fix)


def reward_model_problems(name: str) -> Iterator[Problem]:
    """The same for a local folder, told from its config.json without an engine; nothing for any other model.

    Args:
        name: The model, as the job names it.
    """
    source = model_source(name)
    if source.path is None:
        return
    try:
        if source.kind is ModelKind.ADAPTER:
            adapter = json.loads((source.path / "adapter_config.json").read_bytes())
            if (task := adapter.get("task_type")) != SCORING:
                message = f"the reward model '{name}' gives no scores: it is an adapter for {task or 'another task'}."
                yield Problem("reward-model", message, _TRAIN_ONE, "reward_model_name")
            return
        told = json.loads((source.path / "config.json").read_bytes())
        kinds = [str(kind) for kind in told.get("architectures") or []]
        labels = int(told.get("num_labels") or len(told.get("id2label") or range(_LABELS)))
    except (OSError, ValueError, TypeError, AttributeError):
        return
    if fault := _fault(name, kinds, labels):
        yield Problem("reward-model", *fault, "reward_model_name")


def _fault(name: str, kinds: Sequence[str], labels: int) -> tuple[str, str] | None:
    """What is wrong and what to do, None if nothing is."""
    if not any("SequenceClassification" in kind or "RewardModel" in kind for kind in kinds):
        return (
            f"the reward model '{name}' gives no scores: it is a {', '.join(kinds) or 'model of unknown kind'}.",
            _TRAIN_ONE,
        )
    if labels != 1:
        return (
            f"the reward model '{name}' has {labels} labels, but a reward is one number.",
            "Name a sequence classifier with one label.",
        )
    return None
