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
        model: The kind of random model that it is given.
    """

    name: str
    shows: str
    stages: tuple[tuple[str, ...], ...]
    limit: int = LIMIT
    alone: bool = False
    model: str = "qwen3-0.6b"


def _trained(algorithm: str, method: str, model: str = "") -> Cell:
    return Cell(
        f"unsloth-{algorithm}-{method}" + (f"-{model}" if model else ""),
        f"{algorithm} with {method}: trains, saves, loads in plain transformers, resumes",
        (
            ("train.py", "unsloth", algorithm, method, "fresh"),
            ("load.py", algorithm, method),
            ("train.py", "unsloth", algorithm, method, "resume"),
        ),
        model=model or Cell.model,
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
    *(_trained(algorithm, "full") for algorithm in ("sft", "reward")),
    # whole checkpoints of them all at once are more than a small disk holds
    *(_trained(algorithm, "full", "qwen3-small") for algorithm in ("dpo", "ppo", "grpo", "dapo", "dr_grpo")),
    *(_trained("sft", "lora", kind) for kind in ("qwen3-0.6b-untied", "llama", "qwen2", "mistral", "phi3", "gemma3")),
    _trained("sft", "full", "qwen3-0.6b-untied"),
    *(_parity("sft", batch, "0.02") for batch in ("8x1", "4x2")),
    _parity("dpo", "4x2", "0.02"),
    _parity("reward", "4x2", "0.02"),
    *(_parity(algorithm, "2x4", "0.05") for algorithm in ("grpo", "dapo", "dr_grpo")),
    Cell(
        "unsloth-ppo-reward-model",
        "PPO with a reward model that this backend trained",
        (("train.py", "unsloth", "reward", "full", "fresh"), ("train.py", "unsloth", "ppo", "lora", "scored")),
        model="qwen3-small",
    ),
    Cell("unsloth-ppo-modes", "PPO reads no padding, recomputes again, and keeps its reference", (("ppo_modes.py",),)),
    Cell("unsloth-generate", "prompts padded on the left are answered as alone", (("generate.py",),)),
    Cell("unsloth-refusals", "no GPU and a wrong order of imports are refused", (("refusals.py",),)),
    Cell(
        "unsloth-speed",
        "tokens a second and memory beside a script by hand on Unsloth, in turns",
        (("speed.py",),),
        alone=True,
    ),
    *(
        Cell(
            f"trl-{algorithm}",
            f"{algorithm} by the TRL backend: speed and memory",
            (("algorithms.py", algorithm),),
            alone=True,
        )
        for algorithm in (*ALGORITHMS, "gspo")
    ),
)
