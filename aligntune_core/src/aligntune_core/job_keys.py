"""The names of all job keys, for who needs no more of a job than these: its own module takes long to import."""

from __future__ import annotations

JOB_KEYS = frozenset(
    {
        *("algorithm", "backend", "backend_args", "batch_size", "beta", "column_mapping", "data_limits"),
        *("dataset_name", "dataset_split", "eval_dataset_name", "eval_dataset_split", "eval_steps", "isolation"),
        *("gradient_accumulation_steps", "gradient_checkpointing", "learning_rate", "load_in_4bit"),
        *("logging_steps", "lora_alpha", "lora_dropout", "lora_r", "lora_target_modules", "lr_scheduler"),
        *("max_completion_length", "max_grad_norm", "max_samples", "max_seq_length", "max_steps", "model_name"),
        *("num_epochs", "num_generations", "output_dir", "packing", "precision", "report_to", "resume"),
        *("reward_functions", "reward_model_name", "save_steps", "save_total_limit", "seed", "temperature"),
        *("trust_remote_code", "use_peft", "warmup_ratio", "warmup_steps", "weight_decay"),
    }
)
"""The same as the fields of ``aligntune_core.job.Job``."""
