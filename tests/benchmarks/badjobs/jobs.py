"""Good jobs, of which the bad ones differ in one thing."""

from __future__ import annotations

from typing import Any

from badjobs.folders import DATA

_COMMON = {
    "backend": "trl",
    "model_name": "./model",
    "dataset_name": DATA,
    "output_dir": "out",
    "max_steps": 4,
    "learning_rate": 1e-3,
    "logging_steps": 1,
}
_SAMPLED = {
    "batch_size": 1,
    "num_generations": 4,
    "max_completion_length": 16,
    "reward_functions": ["reward.py:reward"],
}
_OFFLINE = {"batch_size": 4, "max_seq_length": 128}


def sft(**changes: Any) -> dict[str, Any]:
    """An SFT job; None removes a key."""
    return _job("sft", _OFFLINE, changes)


def dpo(**changes: Any) -> dict[str, Any]:
    """A DPO job."""
    return _job("dpo", _OFFLINE, changes)


def grpo(**changes: Any) -> dict[str, Any]:
    """A GRPO job, rewarded by ``reward.py``."""
    return _job("grpo", _SAMPLED, changes)


def ppo(**changes: Any) -> dict[str, Any]:
    """A PPO job without a reward."""
    sampled = {key: value for key, value in _SAMPLED.items() if key not in {"num_generations", "reward_functions"}}
    return _job("ppo", {**sampled, "batch_size": 4}, changes)


def _job(algorithm: str, keys: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    job = {"algorithm": algorithm, **_COMMON, **keys, **changes}
    return {key: value for key, value in job.items() if value is not None}
