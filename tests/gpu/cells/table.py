"""The cells: what is shown on a GPU, each by stages that run one after the other in processes of their own."""

from __future__ import annotations

from dataclasses import dataclass

LIMIT = 480
"""Seconds that a cell may take."""


@dataclass(frozen=True)
class Cell:
    """One thing that is shown.

    Args:
        name: What its result's file is called.
        shows: What it shows, in words.
        stages: A program beside this file and its arguments, each.
        limit: Seconds that all of them may take.
        alone: Whether nothing else may run beside it, since it is timed.
    """

    name: str
    shows: str
    stages: tuple[tuple[str, ...], ...]
    limit: int = LIMIT
    alone: bool = False


def _trained(algorithm: str, method: str) -> Cell:
    return Cell(
        f"unsloth-{algorithm}-{method}",
        f"{algorithm} with {method}: trains, saves, loads in plain transformers, resumes",
        (
            ("train.py", "unsloth", algorithm, method, "fresh"),
            ("load.py", algorithm, method),
            ("train.py", "unsloth", algorithm, method, "resume"),
        ),
    )


def _parity(algorithm: str, batch: str, tolerance: str, precision: str = "bf16") -> Cell:
    return Cell(
        f"parity-{algorithm}-{batch}",
        f"{algorithm}: the first step's loss and gradient norm beside the TRL backend's, in batches of {batch}",
        (
            ("parity.py", "unsloth", algorithm, batch, precision),
            ("parity.py", "trl", algorithm, batch, precision),
            ("compared.py", tolerance),
        ),
    )


ALGORITHMS = ("sft", "dpo", "reward", "ppo", "grpo", "dapo", "dr_grpo")

CELLS: tuple[Cell, ...] = (
    *(_trained(algorithm, "lora") for algorithm in ALGORITHMS),
    *(_trained(algorithm, "qlora") for algorithm in ALGORITHMS),
    *(_trained(algorithm, "full") for algorithm in ALGORITHMS),
    *(_parity("sft", batch, "0.02") for batch in ("8x1", "4x2")),
    _parity("dpo", "4x2", "0.02"),
    *(_parity(algorithm, "2x4", "0.05") for algorithm in ("grpo", "dr_grpo")),
    Cell(
        "unsloth-ppo-modes",
        "PPO's models read no padding, recompute again, and the reference stays",
        (("ppo_modes.py",),),
    ),
    Cell("unsloth-generate", "prompts padded on the left are answered as alone", (("generate.py",),)),
    Cell("unsloth-refusals", "no GPU and a wrong order of imports are refused", (("refusals.py",),)),
)
