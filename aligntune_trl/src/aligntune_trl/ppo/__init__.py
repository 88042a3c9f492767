"""Proximal policy optimisation for language models (arXiv 1707.06347, arXiv 1909.08593), on transformers' Trainer."""

from aligntune_trl.ppo.config import PPOConfig
from aligntune_trl.ppo.trainer import PPOTrainer

__all__ = ["PPOConfig", "PPOTrainer"]
