"""Models of a few thousand weights and a tokenizer of letters, made on the spot; and one whole run, as a program."""

import json
import sys
from pathlib import Path

import torch
from datasets import Dataset
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification, PreTrainedTokenizerFast

from aligntune_trl.ppo import PPOConfig, PPOTrainer

LETTERS = "abcdefghijklmnopqrstuvwxyz "
SPECIAL = ("<pad>", "<eos>", "<unk>")
TEMPLATE = (
    "{% for message in messages %}{{ message['role'][0] }} {{ message['content'] }} {% endfor %}"
    "{% if add_generation_prompt %}a {% endif %}"
)


def make_tokenizer(letters=LETTERS, template=None):
    vocabulary = {token: number for number, token in enumerate([*SPECIAL, *letters])}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    core.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>", chat_template=template
    )


def configuration(**settings):
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    tokens = {"vocab_size": 30, "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": None}
    context = {"max_position_embeddings": 64, "initializer_range": 0.2}
    return LlamaConfig(**{**sizes, **tokens, **context, **settings})


def make_policy(*, lora=False, dropout=0.0, seed=0, **settings):
    torch.manual_seed(seed)
    model = LlamaForCausalLM(configuration(attention_dropout=0.0 if lora else dropout, **settings))
    if not lora:
        return model
    from peft import LoraConfig, get_peft_model

    targets = ["q_proj", "v_proj", "up_proj", "down_proj"]
    adapter = LoraConfig(r=8, lora_alpha=32, lora_dropout=dropout, target_modules=targets, task_type="CAUSAL_LM")
    return get_peft_model(model, adapter)


def make_reward_model(seed=1, **settings):
    torch.manual_seed(seed)
    return LlamaForSequenceClassification(configuration(**{"num_labels": 1, **settings}))


def make_dataset(rows=64):
    return Dataset.from_list(
        [{"prompt": f"{LETTERS[n % 7]}{LETTERS[n % 5] * (n % 3)}b", "number": n} for n in range(rows)]
    )


def share_of_a(completions, **_):
    return [text.count("a") / max(len(text), 1) for text in completions]


def make_config(folder, **settings):
    defaults = {
        "per_device_train_batch_size": 16,
        "max_completion_length": 8,
        "learning_rate": 5e-3,
        "lr_scheduler_type": "constant",
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": True,
        "seed": 0,
    }
    return PPOConfig(output_dir=str(folder), **{**defaults, **settings})


def make_trainer(folder, *, policy=None, reward_functions=(share_of_a,), rows=64, trainer=None, **settings):
    given = dict(trainer or {})
    if "reward_model" not in given:
        given["reward_functions"] = reward_functions
    return PPOTrainer(
        make_policy() if policy is None else policy,
        make_config(folder, **settings),
        **{"processing_class": make_tokenizer(), "train_dataset": make_dataset(rows), **given},
    )


def logged(trainer, name):
    return [entry[name] for entry in trainer.state.log_history if name in entry]


def run(folder, *, lora=False, resume=None):
    """Train with dropout, accumulation and several updates in each step; give back every figure and weight."""
    trainer = make_trainer(
        folder,
        policy=make_policy(lora=lora, dropout=0.2),
        rows=20,
        trainer={"eval_dataset": make_dataset(5)},
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        num_ppo_epochs=2,
        num_mini_batches=2,
        num_train_epochs=2,
        lr_scheduler_type="linear",
        save_strategy="steps",
        save_steps=1,
        eval_strategy="steps",
        eval_steps=2,
    )
    trainer.train(resume_from_checkpoint=resume)
    measured = ("runtime", "per_second", "flos", "train_loss")
    history = [
        {name: value for name, value in entry.items() if not name.endswith(measured)}
        for entry in trainer.state.log_history
    ]
    weights = {name: weight.double().sum().item().hex() for name, weight in trainer.model.state_dict().items()}
    return {"history": history, "weights": weights, "steps": trainer.state.global_step}


def main(kind, folder, *checkpoints):
    """Resume from each checkpoint and print one line of JSON for each."""
    torch.set_num_threads(1)
    results = [run(Path(folder) / str(n), lora=kind == "lora", resume=path) for n, path in enumerate(checkpoints)]
    print("\n".join(map(json.dumps, results)))


if __name__ == "__main__":
    main(*sys.argv[1:])
