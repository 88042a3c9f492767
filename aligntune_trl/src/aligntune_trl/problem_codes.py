"""The codes of problems that only this backend finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core.problem_codes import ProblemCode

if TYPE_CHECKING:
    from collections.abc import Mapping


def _fast(meaning: str, why: str, severity: str = "error") -> ProblemCode:
    return ProblemCode(severity, "fast", meaning, why)


CODES: Mapping[str, ProblemCode] = {
    "engine-version": _fast("The installed release of TRL can't train here", "Releases that can are named."),
    "process-patched": _fast("TRL's classes were rewritten in this process", "Use isolation: process."),
    "not-settable": _fast("AlignTune decides this setting of the engine", "Leave it out."),
    "not-installed": _fast("A package that the job needs is not installed", "The command is named."),
    "model-broken": _fast("A file of the model is missing or damaged", "Copy or download it again."),
    "reward-model": _fast("The reward model gives no score, or several", "A reward is one number."),
    "checkpoint-broken": _fast("A newer checkpoint is damaged", "An older one is gone on from.", "warning"),
    "nothing-left": _fast("The checkpoint holds all of the run", "No step would be taken.", "warning"),
    "unknown-layer": ProblemCode(
        "error",
        "data",
        "The model has no layer of a name that adapters are asked for",
        "Its layers are named.",
        "trainer",
    ),
    "ppo-setting": _fast(
        "A setting of PPO makes no sense", "Its bounds are named, those of most when the trainer is made."
    ),
    "engine-refused": ProblemCode(
        "error", "probe", "TRL, transformers or peft refuse a setting", "In their words.", "trainer"
    ),
}
"""By code; the core has the others."""
