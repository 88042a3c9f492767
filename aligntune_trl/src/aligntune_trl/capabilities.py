"""What the TRL backend supports, one row for each algorithm."""

from __future__ import annotations

from aligntune_core.capabilities import Capability, Feature, Support

_FEATURES = frozenset(
    {
        Feature.FULL,
        Feature.LORA,
        Feature.QLORA,
        Feature.GRADIENT_CHECKPOINTING,
        Feature.EVALUATION,
        Feature.RESUME,
        Feature.GGUF,
        Feature.CPU,
        Feature.CUDA,
    }
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
"""The job keys that are translated into TRL's settings or peft's."""

CAPABILITIES: tuple[Capability, ...] = (
    Capability("sft", features=_FEATURES | {Feature.PACKING}),
    Capability("dpo", features=_FEATURES),
    Capability("kto", features=_FEATURES),
    Capability("reward", features=_FEATURES),
    Capability("ppo", features=_FEATURES),
    Capability("grpo", features=_FEATURES),
    Capability("gspo", features=_FEATURES),
    Capability("dapo", features=_FEATURES),
    Capability("dr_grpo", features=_FEATURES),
    Capability("rloo", features=_FEATURES),
    Capability("cispo", features=_FEATURES),
    Capability("sapo", features=_FEATURES),
    Capability(
        "bnpo",
        Support.EXPERIMENTAL,
        _FEATURES,
        "TRL's loss of that name takes the mean over the batch's tokens; the paper's Beta normalisation of rewards "
        "is not in it",
    ),
)
