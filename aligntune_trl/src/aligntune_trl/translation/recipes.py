"""Which trainer runs which algorithm, with which settings: one row each, every setting with its source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aligntune_core.algorithms import DatasetKind

if TYPE_CHECKING:
    from collections.abc import Mapping


WRITING, SCORING = "CAUSAL_LM", "SEQ_CLS"
"""What peft calls a model that writes text, and one that scores it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one algorithm is trained.

    Args:
        trainer: The trainer class's name.
        config: Its configuration class's name.
        kind: The rows it learns from.
        keys: Job keys that this trainer alone has, with their names in the configuration.
        settings: What defines the algorithm, set whatever TRL's own defaults are; a user's value wins.
        minibatches: Into how many optimiser steps one batch of completions is cut (GRPO and its kin).
        own_args: Keys of ``backend_args`` that AlignTune itself reads, with their defaults.
        task_type: What peft calls the model that is trained.
        new_layers: Layers that the starting model may lack, so that they are trained whole beside adapters.
        package: Where both classes come from: ``trl``, or this package for a trainer of this project's own, which
            takes transformers' training arguments and what it adds to them.
        is_rollout: Whether a step is one rollout: its prompts are answered together, on one device of each process,
            and the trainer makes its updates of them by itself.
        trained_models: Models that are trained, and saved in a checkpoint: two with a value model.
        takes_reward_model: Whether a model may give the rewards, instead of functions.
        needs_room: Whether a prompt that leaves no room for a completion is refused.
        leaves_out: Whether rows beyond ``max_length`` are left out, instead of cut.
        least_batch: Examples that must be taken at once, since they are compared with each other.
        least_batch_unless: Settings with which each example stands for itself all the same.
    """

    trainer: str
    config: str
    kind: DatasetKind
    keys: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    minibatches: int = 0
    own_args: Mapping[str, Any] = field(default_factory=dict)
    task_type: str = WRITING
    new_layers: tuple[str, ...] = ()
    package: str = "trl"
    is_rollout: bool = False
    trained_models: int = 1
    takes_reward_model: bool = False
    needs_room: bool = False
    leaves_out: bool = False
    least_batch: int = 1
    least_batch_unless: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_own(self) -> bool:
        """Whether the trainer is this project's own, and not TRL's."""
        return self.package != "trl"

    @property
    def is_scorer(self) -> bool:
        """Whether the model that is trained scores texts, and doesn't write them."""
        return self.task_type == SCORING

    @property
    def samples(self) -> bool:
        """Whether the policy answers prompts while it learns."""
        return self.kind is DatasetKind.PROMPTS

    @property
    def is_single(self) -> bool:
        """Whether a row becomes one sequence of tokens."""
        return self.kind in {DatasetKind.DEMONSTRATIONS, DatasetKind.PROMPTS}

    @property
    def source(self) -> str:
        """The file of the configuration class in its package."""
        stem = self.config.removesuffix("Config").lower()
        return f"{stem}/config.py" if self.is_own else f"trainer/{stem}_config.py"

    @property
    def is_grouped(self) -> bool:
        """Whether a batch is made of groups of completions of one prompt."""
        return self.minibatches > 0


_LENGTH = {"max_seq_length": "max_length"}
_SAMPLING = {
    "num_generations": "num_generations",
    "max_completion_length": "max_completion_length",
    "temperature": "temperature",
    "beta": "beta",
}

_REWARDED = {"allow_missing_rewards": False}

_SAMPLED = {
    "num_generations": 8,
    "max_completion_length": 512,
    # arXiv 2402.03300, section 2.3 and algorithm 1: samples of the policy itself, each used once
    "temperature": 1.0,
    "top_p": 1.0,
    "top_k": 0,
    "min_p": None,
    "repetition_penalty": 1.0,
    "num_iterations": 1,
    "mask_truncated_completions": False,
}
_GRPO = {
    **_SAMPLED,
    # arXiv 2402.03300, equation 3: the mean over a completion's tokens, then over the group; token ratios
    "loss_type": "grpo",
    "importance_sampling_level": "token",
    # section 4.1.2: rewards minus the group's mean over the group's standard deviation
    "scale_rewards": "group",
    "multi_objective_aggregation": "sum_then_normalize",
    # section 4.2: a KL coefficient of 0.04, estimated as in equation 4
    "beta": 0.04,
    "use_bias_correction_kl": False,
    # arXiv 1707.06347, section 6.1: the clip range that equation 3 takes over
    "epsilon": 0.2,
    "epsilon_high": 0.2,
    "delta": None,
    "top_entropy_quantile": 1.0,
    "entropy_coef": 0.0,
    "off_policy_mask_threshold": None,
}


def _grpo_like(**settings: Any) -> Recipe:
    minibatches = settings.pop("minibatches", 1)
    own_args = settings.pop("own_args", {})
    return Recipe(
        "GRPOTrainer",
        "GRPOConfig",
        DatasetKind.PROMPTS,
        keys=_SAMPLING,
        settings={**_GRPO, **settings},
        minibatches=minibatches,
        own_args={**_REWARDED, **own_args},
    )


RECIPES: Mapping[str, Recipe] = {
    "sft": Recipe("SFTTrainer", "SFTConfig", DatasetKind.DEMONSTRATIONS, keys={**_LENGTH, "packing": "packing"}),
    "dpo": Recipe(
        "DPOTrainer",
        "DPOConfig",
        DatasetKind.PAIRS,
        keys={**_LENGTH, "beta": "beta"},
        # arXiv 2305.18290, equation 7; beta as in section 6
        settings={"loss_type": ["sigmoid"], "beta": 0.1},
    ),
    "kto": Recipe(
        "KTOTrainer",
        "KTOConfig",
        DatasetKind.LABELLED,
        keys={**_LENGTH, "beta": "beta"},
        # arXiv 2402.01306, equation 8; beta as in section 4.2, equal weights as in its balanced runs
        settings={"loss_type": "kto", "beta": 0.1, "desirable_weight": 1.0, "undesirable_weight": 1.0},
        # the loss sets each answer against the mean over its batch; that of arXiv 2408.06266 does not
        least_batch=2,
        least_batch_unless={"loss_type": "apo_zero_unpaired"},
    ),
    "reward": Recipe(
        "RewardTrainer",
        "RewardConfig",
        DatasetKind.PAIRS,
        keys=_LENGTH,
        # arXiv 2203.02155, equation 1, without the centring term of arXiv 2312.09244
        settings={"center_rewards_coefficient": None},
        task_type=SCORING,
        new_layers=("score",),
        leaves_out=True,
    ),
    # this project's own trainer; PPOConfig names the source of each of its defaults
    "ppo": Recipe(
        "PPOTrainer",
        "PPOConfig",
        DatasetKind.PROMPTS,
        keys={"beta": "kl_coef", "max_completion_length": "max_completion_length", "temperature": "temperature"},
        package="aligntune_trl",
        is_rollout=True,
        trained_models=2,
        takes_reward_model=True,
        needs_room=True,
    ),
    "grpo": _grpo_like(),
    # arXiv 2507.18071, equations 5 to 7; section 5.1: clip ranges 3e-4 and 4e-4, four minibatches, no KL term
    "gspo": _grpo_like(importance_sampling_level="sequence", beta=0.0, epsilon=3e-4, epsilon_high=4e-4, minibatches=4),
    # arXiv 2503.14476, equation 8: the mean over all tokens; section 3.1: clip-higher; section 2.3: no KL term;
    # section 3.4: truncated answers masked, and punished softly near the limit; section 3.2: dynamic sampling
    "dapo": _grpo_like(
        loss_type="dapo",
        beta=0.0,
        epsilon_high=0.28,
        mask_truncated_completions=True,
        own_args={"dynamic_sampling": True, "max_sampling_tries": 10, "overlong_punishment": True},
    ),
    # arXiv 2503.20783, section 3.2: no division by length or by the standard deviation; no KL term
    "dr_grpo": _grpo_like(loss_type="dr_grpo", scale_rewards="none", beta=0.0),
    # arXiv 2506.13585, equations 4 and 5: clipped importance weights instead of clipped updates, no KL term;
    # the bound of 5 from arXiv 2510.13786, section 3.2
    "cispo": _grpo_like(loss_type="cispo", beta=0.0, epsilon_high=5.0),
    # arXiv 2511.20347, section 3: a soft gate in place of the clip, steeper for negative advantages
    "sapo": _grpo_like(loss_type="sapo", beta=0.0, sapo_temperature_pos=1.0, sapo_temperature_neg=1.05),
    # the loss that TRL names after arXiv 2506.02864: the mean over the tokens of the local batch
    "bnpo": _grpo_like(loss_type="bnpo", beta=0.0),
    "rloo": Recipe(
        "RLOOTrainer",
        "RLOOConfig",
        DatasetKind.PROMPTS,
        keys=_SAMPLING,
        # arXiv 2402.14740, equation 9: each reward minus the mean of the others', nothing normalised or clipped
        settings={
            **_SAMPLED,
            "beta": 0.05,
            "normalize_advantages": False,
            "reward_clip_range": None,
            # TRL clips the ratios too; they are 1, since each answer is used once
            "epsilon": 0.2,
            "epsilon_high": None,
        },
        minibatches=1,
        own_args=_REWARDED,
    ),
}
