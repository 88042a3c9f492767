"""What this backend supports, and the algorithm that it brings."""

from __future__ import annotations

from aligntune_core import Algorithm, Capability, DatasetKind, Feature, Support, Task

ALGORITHMS = (
    Algorithm(
        "unlikelihood",
        "Unlikelihood training",
        Task.PREFERENCE,
        DatasetKind.LABELLED,
        "arXiv 1908.04319, equation 4; on labelled answers arXiv 1911.03860",
        aliases=("unlike",),
    ),
)

_FEATURES = frozenset({Feature.FULL, Feature.EVALUATION, Feature.CPU, Feature.CUDA})

CAPABILITIES = (
    Capability("sft", features=_FEATURES),
    Capability("unlikelihood", Support.EXPERIMENTAL, _FEATURES, "tried on small models only"),
)

DATASETS = {"sft": DatasetKind.DEMONSTRATIONS, "unlikelihood": DatasetKind.LABELLED}
"""The rows that each algorithm learns from."""
