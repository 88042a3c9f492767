"""Reward functions: the built-in ones, those of the user, and the checks that stand between them and training."""

from __future__ import annotations

from aligntune_core.rewards.builtin.lengths import Length, SoftOverlong
from aligntune_core.rewards.builtin.matching import ExactMatch, FormatMatch, NumericMatch
from aligntune_core.rewards.builtin.mathematics import MathVerify
from aligntune_core.rewards.builtin.table import BUILTINS
from aligntune_core.rewards.function import RewardFunction
from aligntune_core.rewards.guard import GuardedReward, guarded
from aligntune_core.rewards.probe import probe
from aligntune_core.rewards.problems import problems
from aligntune_core.rewards.resolve import resolve
from aligntune_core.rewards.spec import RewardSpec
from aligntune_core.rewards.texts import text_of

__all__ = [
    "BUILTINS",
    "ExactMatch",
    "FormatMatch",
    "GuardedReward",
    "Length",
    "MathVerify",
    "NumericMatch",
    "RewardFunction",
    "RewardSpec",
    "SoftOverlong",
    "guarded",
    "probe",
    "problems",
    "resolve",
    "text_of",
]
