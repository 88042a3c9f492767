"""Every algorithm a few steps in bf16 on a random-weight Qwen3-0.6B, on one CUDA GPU, as a Markdown table.

Run it with ``python tests/benchmarks/gpu_algorithms.py [--steps 8] [--out table.md]``. It downloads nothing: the model
is made from its configuration, with a tokenizer that has a word for each of its tokens, so losses say that training
runs, not that anything is learnt.
"""

from __future__ import annotations

import argparse
import gc
import shutil
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTINGS = {
    "sft": {"dataset_name": "builtin:instructions", "batch_size": 8, "max_seq_length": 256},
    "dpo": {"dataset_name": "builtin:preferences", "batch_size": 4, "max_seq_length": 256},
    "reward": {"dataset_name": "builtin:preferences", "batch_size": 4, "max_seq_length": 256},
    "ppo": {"batch_size": 8, "backend_args": {"num_ppo_epochs": 2}},
    "grpo": {"batch_size": 4},
    "gspo": {"batch_size": 2},
    "dapo": {"batch_size": 4},
    "dr_grpo": {"batch_size": 4},
}
SAMPLED = {"dataset_name": "builtin:arithmetic", "max_completion_length": 32}
WARM_UP = 2
"""The first steps, left out of the speed: they load kernels and take memory."""


def share_of_digits(completions, **_columns):
    """How much of a completion is digits: a reward that random text gets a little of."""
    texts = [completion if isinstance(completion, str) else completion[-1]["content"] for completion in completions]
    return [sum(letter.isdigit() for letter in text) / (1 + len(text)) for text in texts]


def random_qwen(folder: Path) -> Path:
    """A Qwen3-0.6B with random weights, and a tokenizer with a word for each of its tokens."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    special = ["<pad>", "<eos>", "<unk>"]
    words = {word: number for number, word in enumerate([*special, *(f"w{n}" for n in range(151936 - len(special)))])}
    core = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>", model_max_length=40960
    )
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(words),
        hidden_size=1024,
        intermediate_size=3072,
        num_hidden_layers=28,
        num_attention_heads=16,
        num_key_value_heads=8,
        head_dim=128,
        max_position_embeddings=40960,
        rope_theta=1_000_000.0,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    Qwen3ForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def measure(algorithm: str, model: Path, steps: int, *, lora: bool, folder: Path) -> dict[str, object]:
    """One algorithm's figures, its first steps left out of the speed."""
    import torch

    from aligntune import create_trainer
    from aligntune_core import Stepped

    settings = {**SETTINGS[algorithm]}
    if algorithm not in {"sft", "dpo", "reward"}:
        settings = {**SAMPLED, "reward_functions": [share_of_digits], **settings}
    torch.cuda.reset_peak_memory_stats()
    times: list[float] = []
    tokens: list[float] = []
    losses: list[float] = []

    def listen(event: object) -> None:
        if isinstance(event, Stepped) and event.metrics:
            torch.cuda.synchronize()
            times.append(time.perf_counter())
            losses.append(event.metrics["loss"])
            tokens.append(tokens_so_far(event.metrics, settings["batch_size"], tokens))

    trainer = create_trainer(
        algorithm=algorithm,
        backend="trl",
        model_name=str(model),
        output_dir=str(folder),
        max_steps=steps + WARM_UP,
        logging_steps=1,
        learning_rate=1e-5 if not lora else 1e-4,
        precision="bf16",
        use_peft=lora or None,
        on_event=listen,
        **settings,
    )
    trainer.train()
    seconds = times[-1] - times[WARM_UP - 1]
    row = {
        "algorithm": algorithm,
        "trained": "LoRA" if lora else "full",
        "batch": settings["batch_size"],
        "seconds a step": f"{seconds / steps:.3f}",
        "tokens a second": f"{(tokens[-1] - tokens[WARM_UP - 1]) / seconds:,.0f}",
        "peak memory, GiB": f"{torch.cuda.max_memory_allocated() / 2**30:.1f}",
        "first loss": f"{losses[0]:.4f}",
        "last loss": f"{losses[-1]:.4f}",
    }
    del trainer
    gc.collect()
    torch.cuda.empty_cache()
    shutil.rmtree(folder, ignore_errors=True)
    return row


def tokens_so_far(metrics: Mapping[str, float], batch_size: int, before: list[float]) -> float:
    """Tokens that were trained on: as TRL counts them, prompts and answers, and for PPO the answers'."""
    counted = before[-1] if before else 0.0
    if "completion/mean_length" in metrics:
        return counted + metrics["completion/mean_length"] * batch_size
    # TRL logs nothing at the steps that learn from completions sampled before
    return max(counted, metrics.get("num_tokens", 0.0))


def table(rows: list[dict[str, object]]) -> str:
    """The rows as Markdown."""
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + " --- |" * len(rows[0])]
    return "\n".join([*lines, *("| " + " | ".join(str(value) for value in row.values()) + " |" for row in rows)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", nargs="*", default=list(SETTINGS))
    options = parser.parse_args()
    import torch

    with tempfile.TemporaryDirectory() as temporary:
        model = random_qwen(Path(temporary, "qwen3-0.6b-random"))
        rows = []
        for algorithm in options.only:
            for lora in (False, True):
                row = measure(algorithm, model, options.steps, lora=lora, folder=Path(temporary, "run"))
                print(row, file=sys.stderr, flush=True)
                rows.append(row)
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "trl", "peft"))
    text = f"{torch.cuda.get_device_name()}; {packages}; {options.steps} steps each.\n\n{table(rows)}\n"
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
