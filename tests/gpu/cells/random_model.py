"""Models with random weights and a tokenizer made on the spot: nothing is downloaded."""

from __future__ import annotations

import sys
from pathlib import Path

from aligntune_core.data.builtin import builtin_rows

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
VOCABULARY = 151936


def texts():
    for name in ("instructions", "preferences", "arithmetic"):
        for row in builtin_rows(f"builtin:{name}"):
            yield "\n".join(str(value) for value in row.values())


def tokenizer():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        texts(), trainers.BpeTrainer(vocab_size=2000, special_tokens=special, initial_alphabet=alphabet)
    )
    made = PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="<|im_end|>", pad_token="<|endoftext|>", model_max_length=40960
    )
    made.chat_template = TEMPLATE
    return made


SMALL = {
    "vocab_size": 4096,
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
}
QWEN3 = {
    "vocab_size": VOCABULARY,
    "hidden_size": 1024,
    "intermediate_size": 3072,
    "num_hidden_layers": 28,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "max_position_embeddings": 40960,
    "tie_word_embeddings": True,
}
KINDS = {
    "qwen3-0.6b": ("qwen3", QWEN3),
    "qwen3-0.6b-untied": ("qwen3", {**QWEN3, "tie_word_embeddings": False}),
    "qwen3-small": ("qwen3", {**SMALL, "head_dim": 64}),
    "llama": ("llama", SMALL),
    "qwen2": ("qwen2", SMALL),
    "mistral": ("mistral", {**SMALL, "head_dim": 64}),
    "phi3": ("phi3", SMALL),
    "gemma3": ("gemma3_text", {**SMALL, "head_dim": 64, "tie_word_embeddings": True}),
}


def make(folder: Path, kind: str) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    words = tokenizer()
    torch.manual_seed(0)
    model_type, sizes = KINDS[kind]
    ends = {"eos_token_id": words.eos_token_id, "pad_token_id": words.pad_token_id, "bos_token_id": None}
    config = AutoConfig.for_model(model_type, **sizes, **ends)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = AutoModelForCausalLM.from_config(config)
    model.to(torch.bfloat16).save_pretrained(folder)
    words.save_pretrained(folder)


if __name__ == "__main__":
    make(Path(sys.argv[1]), sys.argv[2])
