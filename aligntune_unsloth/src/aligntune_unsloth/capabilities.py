"""What the Unsloth backend supports: one CUDA GPU, and no algorithm that needs sequence-level importance ratios."""

from __future__ import annotations

from aligntune_core.capabilities import Capability, Feature, Support

_FEATURES = frozenset(
    {
        Feature.LORA,
        Feature.QLORA,
        Feature.FULL,
        Feature.GRADIENT_CHECKPOINTING,
        Feature.EVALUATION,
        Feature.RESUME,
        Feature.CUDA,
    }
)
_SEEN = (
    "seen to train, evaluate, save, load in plain transformers and resume on one H200, a few steps on random weights; "
    "docs/unsloth.md has what was seen"
)

JOB_KEYS = frozenset(
    {
        *("max_seq_length", "num_epochs", "max_steps", "batch_size", "gradient_accumulation_steps"),
        *("learning_rate", "lr_scheduler", "warmup_steps", "warmup_ratio", "weight_decay", "max_grad_norm"),
        *("seed", "precision", "lora_r", "lora_alpha", "lora_dropout", "lora_target_modules", "beta"),
        *("reward_model_name", "reward_functions", "num_generations", "max_completion_length", "temperature"),
        *("logging_steps", "save_steps", "save_total_limit", "eval_steps", "report_to"),
    }
)
"""The job keys that are translated into settings of TRL's, peft's or Unsloth's."""

CAPABILITIES: tuple[Capability, ...] = (
    Capability("sft", Support.EXPERIMENTAL, _FEATURES, _SEEN),
    Capability("dpo", Support.EXPERIMENTAL, _FEATURES, _SEEN),
    Capability("reward", Support.EXPERIMENTAL, _FEATURES, _SEEN),
    Capability("ppo", Support.EXPERIMENTAL, _FEATURES, _SEEN),
    Capability("grpo", Support.EXPERIMENTAL, _FEATURES, _SEEN),
    Capability("dapo", Support.EXPERIMENTAL, _FEATURES, _SEEN),
    Capability("dr_grpo", Support.EXPERIMENTAL, _FEATURES, _SEEN),
    Capability("gspo", Support.UNSUPPORTED, note="GSPO runs on the TRL backend only"),
)
