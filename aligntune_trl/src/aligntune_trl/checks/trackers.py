"""The trackers that metrics can be reported to, and whether this environment has them."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

from aligntune_core import Problem
from aligntune_core.wording import did_you_mean, shown
from aligntune_trl.translation.fields import mapping_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# as the is_*_available functions of transformers.integrations look them up
TRACKERS: Mapping[str, tuple[str, ...]] = {
    "azure_ml": ("azureml.core",),
    "clearml": ("clearml",),
    "codecarbon": ("codecarbon",),
    "comet_ml": ("comet_ml",),
    "dagshub": ("dagshub",),
    "dvclive": ("dvclive",),
    "flyte": ("flytekit",),
    "kubeflow": (),
    "mlflow": ("mlflow",),
    "neptune": ("neptune",),
    "swanlab": ("swanlab",),
    "tensorboard": ("tensorboard", "tensorboardX"),
    "trackio": ("trackio",),
    "wandb": ("wandb",),
}
"""The modules of each tracker, one of which it needs."""
_PACKAGES = {"azure_ml": "azureml-sdk", "comet_ml": "comet-ml", "flyte": "flytekit"}
_EVERY = {"none": "no tracker", "all": "every tracker that is installed"}


def tracker_problems(key: str, names: Sequence[str]) -> Iterator[Problem]:
    """What stands in the way of reporting to these trackers.

    Args:
        key: The key that names them.
        names: Their names, as a job gives them.
    """
    known = mapping_keys("transformers", "integrations/integration_utils.py", "INTEGRATION_TO_CALLBACK") or TRACKERS
    for name in dict.fromkeys(names):
        if name in _EVERY:
            if len(set(names)) > 1:
                message = f"'{key}' names '{name}', which means {_EVERY[name]}, beside others."
                yield Problem("contradiction", message, f"Leave '{name}' or the others out.", key)
        elif name not in known:
            fix = did_you_mean(name, {*known, *_EVERY})
            yield Problem("not-a-choice", f"'{key}' names {shown(name)}, which is no tracker.", fix, key)
        elif name == "kubeflow" and not os.environ.get("KUBEFLOW_TRAINER_SERVER_URL"):
            message = f"'{key}' names 'kubeflow', but KUBEFLOW_TRAINER_SERVER_URL is not set."
            yield Problem("not-installed", message, "Run the job as a Kubeflow TrainJob, or leave it out.", key)
        elif (modules := TRACKERS.get(name, ())) and not any(map(_is_there, modules)):
            message = f"'{key}' names '{name}', which is not installed."
            package = _PACKAGES.get(name, name)
            yield Problem("not-installed", message, f"Install it: pip install {package}.", key)


def _is_there(module: str) -> bool:
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        return False
    # a run's own folder, such as ./wandb, has no origin
    return spec is not None and spec.origin is not None
