"""``builtin:tiny``: a causal language model of about a million parameters, made on the spot from a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core.errors import ModelError
from aligntune_core.machine.importing import large_import
from aligntune_core.models.cache import make_folder
from aligntune_core.models.source import BUILTIN_MODELS, model_source, no_such_builtin

if TYPE_CHECKING:
    from pathlib import Path

SEED = 20260101
VOCABULARY = 1024
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\n' }}"
    "{% else %}{{ message['content'] + '<|im_end|>\n' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def materialise(name: str = "builtin:tiny") -> Path:
    """The folder of a built-in model, made if it is not there yet; needs torch, transformers and tokenizers.

    Args:
        name: ``builtin:tiny``.

    Raises:
        ModelError: If there is no such model, or nothing can be written to the cache folder.
    """
    folder = model_source(name).path if name in BUILTIN_MODELS else None
    if folder is None:
        message, fix = no_such_builtin(name)
        raise ModelError(message, fix=fix)
    if not (folder / "config.json").is_file():
        make_folder(folder, _write)
    return folder


def _write(folder: Path) -> None:
    with large_import():
        import torch
        from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _tokenizer()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(tokenizer),
                hidden_size=128,
                intermediate_size=352,
                num_hidden_layers=4,
                num_attention_heads=4,
                num_key_value_heads=4,
                max_position_embeddings=1024,
                tie_word_embeddings=True,
                bos_token_id=None,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
            )
        )
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)


def _tokenizer() -> Any:
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    from aligntune_core.data.builtin import all_texts

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = Tokenizer(models.BPE())
    # every digit is a token of its own, so that sums can be learnt
    words = pre_tokenizers.Split(Regex(r"\d| ?[^\s\d]+|\s"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(all_texts(), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",  # noqa: S106 not a password
        pad_token="<|endoftext|>",  # noqa: S106 not a password
        additional_special_tokens=["<|im_start|>"],
        chat_template=CHAT_TEMPLATE,
        model_max_length=1024,
        clean_up_tokenization_spaces=False,
    )
