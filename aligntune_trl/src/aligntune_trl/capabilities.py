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
