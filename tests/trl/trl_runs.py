"""Runs small enough for a test: a model of letters, a reward it can learn, and one run by an algorithm's name."""

import hashlib
import json
import sys
from dataclasses import dataclass, field
from typing import Any

from aligntune.core.backend_factory import create_rl_trainer, create_sft_trainer
from aligntune_core.data.builtin import builtin_rows
from aligntune_core.events import Notice, Stepped

GROUPED = ("grpo", "gspo", "dapo", "dr_grpo", "rloo", "cispo", "sapo", "bnpo")
LETTERS = "abcdef "
PROMPTS = [{"prompt": f"{LETTERS[n % 6]}{LETTERS[n // 6] * (1 + n % 3)}b"} for n in range(36)]
LABELLED = [
    {"prompt": row["prompt"], "completion": row[column], "label": column == "chosen"}
    for row in builtin_rows("builtin:preferences")
    for column in ("chosen", "rejected")
]


def write_letters_model(folder, *, dropout=0.0):
    """A model of some 20,000 weights over ten tokens, so that every letter and the end are written often."""
    import torch
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    vocabulary = {token: number for number, token in enumerate(["<pad>", "<eos>", "<unk>", *LETTERS])}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    core.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>", model_max_length=64
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(vocabulary),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=64,
            initializer_range=0.1,
            attention_dropout=dropout,
            pad_token_id=0,
            eos_token_id=1,
            bos_token_id=None,
        )
    )
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return str(folder)


EVERY_LAYER = {"use_peft": True, "lora_target_modules": ["all-linear"]}
"""Adapters with enough to say in a model that knows nothing yet; by default there are fewer."""


def share_of_a(completions, **_):
    return [text.count("a") / max(len(text), 1) for text in completions]


def share_of_a_after_b(prompts, completions, **_):
    """The same, but nothing at all for prompts that begin with an ``a``, whose groups so teach nothing."""
    rewards = share_of_a(completions)
    return [0.0 if prompt.startswith("a") else reward for prompt, reward in zip(prompts, rewards, strict=True)]


@dataclass
class Run:
    """A trainer and every event it sent."""

    trainer: Any
    events: list[Any] = field(default_factory=list)

    def logged(self, name):
        """The values that were logged under a name, in order."""
        return [event.metrics[name] for event in self.events if isinstance(event, Stepped) and name in event.metrics]

    def notices(self):
        """What was said in words."""
        return [event.message for event in self.events if isinstance(event, Notice)]

    def warnings(self):
        """What was said as a warning."""
        return [event.message for event in self.events if isinstance(event, Notice) and event.warning]


def build(algorithm, model_name, dataset_name, **job):
    """A trainer, ready to train, that logs every step."""
    events = []
    job = {
        "backend": "trl",
        "logging_steps": 1,
        "lr_scheduler": "constant",
        "seed": 0,
        "on_event": events.append,
        **job,
    }
    if algorithm == "sft":
        return Run(create_sft_trainer(model_name, dataset_name, **job), events)
    return Run(create_rl_trainer(model_name, dataset_name, algorithm=algorithm, **job), events)


def build_online(algorithm, model_name, **job):
    """A trainer of an algorithm that samples in groups, on short answers to prompts of letters."""
    job = {"num_generations": 8, "max_completion_length": 8, "reward_functions": [share_of_a], **job}
    return build(algorithm, model_name, job.pop("dataset_name", PROMPTS), **job)


def trained(run):
    """The same run, trained."""
    run.trainer.train()
    return run


FEW = PROMPTS[:20]
DATA = {
    "sft": [{**row, "completion": row["prompt"][::-1] + "ab"} for row in FEW],
    "dpo": [{**row, "chosen": row["prompt"] + "aa", "rejected": "fe"} for row in FEW],
    "kto": [{**row, "completion": "fea"[n % 2 :], "label": n % 2 == 1} for n, row in enumerate(FEW)],
    "reward": [{**row, "chosen": row["prompt"] + "aa", "rejected": "fe"} for row in FEW],
}


def resumable(algorithm, letters, folder, *, lora=False, **job):
    """A run with dropout, accumulation and a falling learning rate, five steps to an epoch."""
    job = {
        "output_dir": str(folder),
        "batch_size": 2,
        "gradient_accumulation_steps": 2,
        "learning_rate": 1e-2,
        "lr_scheduler": "linear",
        "max_steps": 7,
        "save_steps": 3,
        "use_peft": lora,
        **({"lora_dropout": 0.1} if lora else {}),
        **job,
    }
    if algorithm in DATA:
        return build(algorithm, letters, DATA[algorithm], **job)
    job = {"dataset_name": FEW, "num_generations": 4, "reward_functions": [share_of_a_after_b], **job}
    return build_online(algorithm, letters, **job)


def outcome(run):
    """Every figure that was logged but the times, and a digest of every weight."""
    native = run.trainer.native
    measured = ("runtime", "per_second", "flos", "train_loss", "step_time")
    if not hasattr(native, "reward_funcs"):
        measured += ("num_tokens",)  # which TRL's other trainers count from zero again
    return {
        "history": [
            {name: value for name, value in entry.items() if not name.endswith(measured)}
            for entry in native.state.log_history
        ],
        "weights": {
            name: hashlib.sha256(weight.detach().numpy().tobytes()).hexdigest()
            for name, weight in native.model.state_dict().items()
        },
    }


def main():
    """Read runs as JSON, one a line, do each, and print what came out of it."""
    import torch

    torch.set_num_threads(1)
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps(outcome(trained(resumable(**job)))))


if __name__ == "__main__":
    main()
