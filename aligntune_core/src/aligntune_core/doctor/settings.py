"""The environment variables that change what training does here, and no secret among them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aligntune_core.doctor.finding import Finding, finding
from aligntune_core.doctor.hub_cache import hub_home

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOWN = (
    *("CUDA_VISIBLE_DEVICES", "ALIGNTUNE_DISABLED_BACKENDS", "ALIGNTUNE_ONLY_BACKENDS", "ALIGNTUNE_CACHE"),
    *("HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"),
    *("OMP_NUM_THREADS", "PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF", "TOKENIZERS_PARALLELISM"),
)
"""Variables whose values are told, where they are set."""

SECRETS = ("HF_TOKEN", "WANDB_API_KEY")
"""Variables of which it is told whether they are set."""

HIDDEN = (
    *("HUGGING_FACE_HUB_TOKEN", "HF_ENDPOINT", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "PYTHONPATH"),
    *(
        "ALIGNTUNE_PLUGINS",
        "PIP_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
        "UV_INDEX_URL",
        "UV_DEFAULT_INDEX",
        "LD_LIBRARY_PATH",
    ),
)
"""Variables whose values may hold passwords or names: it is told where they are set."""


def settings_finding(environ: Mapping[str, str] = os.environ) -> Finding:
    """Which variables are set.

    Args:
        environ: The environment variables.
    """
    told = {name: f"={environ[name]}" for name in SHOWN if name in environ}
    told |= {name: " set" if environ.get(name) else " not set" for name in SECRETS}
    told |= {name: " set" for name in HIDDEN if environ.get(name) or environ.get(name.lower())}
    if not environ.get("HF_TOKEN") and (hub_home() / "token").is_file():
        told["HF_TOKEN"] += ", but stored by a login"
    listed = ", ".join(f"{name}{value}" for name, value in told.items())
    return finding("settings", listed, facts={name: value[1:] for name, value in told.items()})
