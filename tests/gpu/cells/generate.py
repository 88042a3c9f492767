"""A stage: prompts answered together, padded on the left, as each is answered alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from jobs import job
from stages import Stage

PROMPTS = (
    "What is 3 minus 1?",
    "Name the day that comes next. Saturday",
    "Question: What sound does a cat make? Answer:",
)
LENGTH = 24


def main() -> None:
    stage = Stage()
    os.chdir(stage.work)
    import torch

    from aligntune import create_trainer

    trainer = create_trainer(
        backend="unsloth",
        model_name=stage.model,
        output_dir=str(stage.work / "out"),
        max_steps=1,
        on_event=lambda _event: None,
        **job("grpo", "lora"),
    )
    import unsloth

    model, tokenizer = trainer.model, trainer.tokenizer
    unsloth.FastLanguageModel.for_inference(model)
    rows = [tokenizer(text)["input_ids"] for text in PROMPTS]
    width = max(map(len, rows))

    def answered(ids, mask):
        made = model.generate(
            input_ids=ids, attention_mask=mask, do_sample=False, max_new_tokens=LENGTH, min_new_tokens=LENGTH
        )
        return made[:, ids.shape[1] :].tolist()

    def tensors(lists, widest):
        ids = torch.tensor([[tokenizer.pad_token_id] * (widest - len(each)) + each for each in lists], device="cuda")
        mask = torch.tensor([[0] * (widest - len(each)) + [1] * len(each) for each in lists], device="cuda")
        return ids, mask

    alone = [answered(*tensors([each], len(each)))[0] for each in rows]
    together = answered(*tensors(rows, width))
    agreed = [
        next((n for n, (one, other) in enumerate(zip(a, b, strict=True)) if one != other), LENGTH)
        for a, b in zip(alone, together, strict=True)
    ]
    stage.note(agreed=agreed)
    # bf16 rounds a batch otherwise than a row, so that a close choice may fall differently late
    stage.require(first_tokens_agree=min(agreed) >= 4)
    stage.end()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
