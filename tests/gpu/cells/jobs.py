"""The jobs of the cells: short, on the built-in data, the same for every backend."""

from __future__ import annotations

DATA = {
    "sft": {"dataset_name": "builtin:instructions", "batch_size": 8, "max_seq_length": 256},
    "dpo": {"dataset_name": "builtin:preferences", "batch_size": 4, "max_seq_length": 256},
    "reward": {"dataset_name": "builtin:preferences", "batch_size": 4, "max_seq_length": 256},
    "ppo": {"batch_size": 8, "backend_args": {"num_ppo_epochs": 2}},
    "grpo": {"batch_size": 2},
    "dapo": {"batch_size": 2, "backend_args": {"mask_truncated_completions": False}},
    "dr_grpo": {"batch_size": 2},
}
SAMPLED = {"dataset_name": "builtin:arithmetic", "max_completion_length": 32, "max_samples": 32}
METHODS = {
    "lora": {"use_peft": True, "lora_r": 16, "lora_alpha": 32, "learning_rate": 1e-3},
    "qlora": {"use_peft": True, "lora_r": 16, "lora_alpha": 32, "learning_rate": 1e-3, "load_in_4bit": True},
    "full": {"learning_rate": 1e-4},
}


def scattered(completions, **_columns):
    """A reward that random text differs in."""
    texts = [each if isinstance(each, str) else each[-1]["content"] for each in completions]
    return [sum(map(ord, text)) % 11 / 10 for text in texts]


def job(algorithm, method, **more):
    """The settings of a short job."""
    settings = dict(DATA[algorithm])
    if algorithm not in {"sft", "dpo", "reward"}:
        settings = {**SAMPLED, "reward_functions": [scattered], **settings}
    settings.update({"algorithm": algorithm, "logging_steps": 1, "seed": 7, **METHODS[method], **more})
    return settings
