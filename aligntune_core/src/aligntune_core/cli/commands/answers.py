"""What a model in training answers to a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aligntune_core.trainer import Trainer


def answers(trainer: Trainer, prompts: Sequence[str], *, max_new_tokens: int = 24) -> list[str]:
    """The model's most likely answer to each prompt, as one line of text.

    Args:
        trainer: A trainer whose model can generate and whose tokenizer has a chat template.
        prompts: What a user says.
        max_new_tokens: Tokens after which an answer is cut off.
    """
    import torch

    model, tokenizer = trainer.model, trainer.tokenizer
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            return [_answer(model, tokenizer, prompt, max_new_tokens) for prompt in prompts]
    finally:
        model.train(was_training)


def _answer(model: Any, tokenizer: Any, prompt: str, max_new_tokens: int) -> str:
    words = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    ).to(model.device)
    length = words["input_ids"].shape[1]
    written = model.generate(
        input_ids=words["input_ids"],
        attention_mask=words["attention_mask"],
        max_new_tokens=max_new_tokens,
        do_sample=False,
        pad_token_id=tokenizer.pad_token_id,
    )
    return " ".join(tokenizer.decode(written[0, length:], skip_special_tokens=True).split())
