"""What the TRL backend supports, one row for each algorithm."""

from __future__ import annotations

from aligntune_core.capabilities import Capability, Feature

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

CAPABILITIES: tuple[Capability, ...] = (
    Capability("sft", features=_FEATURES | {Feature.PACKING}),
    Capability("dpo", features=_FEATURES),
)
