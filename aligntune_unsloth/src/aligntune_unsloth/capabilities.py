"""What the Unsloth backend supports: CUDA only, and no algorithm that needs sequence-level importance ratios."""

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
_NOT_YET = "its trainers are not written yet"

CAPABILITIES: tuple[Capability, ...] = (
    Capability("sft", Support.EXPERIMENTAL, _FEATURES | {Feature.PACKING}, _NOT_YET),
    Capability("dpo", Support.EXPERIMENTAL, _FEATURES, _NOT_YET),
    Capability("reward", Support.EXPERIMENTAL, _FEATURES, _NOT_YET),
    Capability("ppo", Support.EXPERIMENTAL, _FEATURES, _NOT_YET),
    Capability("grpo", Support.EXPERIMENTAL, _FEATURES, _NOT_YET),
    Capability("dapo", Support.EXPERIMENTAL, _FEATURES, _NOT_YET),
    Capability("dr_grpo", Support.EXPERIMENTAL, _FEATURES, _NOT_YET),
    Capability("gspo", Support.UNSUPPORTED, note="GSPO runs on the TRL backend only"),
)
