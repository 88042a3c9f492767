"""A stage: the first step of a job from weights that are the same for every backend."""

from __future__ import annotations

import json
import os
import random
import sys
import zlib
from pathlib import Path

from jobs import job
from stages import Stage

BATCHES = {"8x1": (8, 1), "4x2": (4, 2), "2x4": (2, 4)}


def same_adapters(model) -> None:
    """The same small numbers in every adapter weight, whoever made them."""
    import torch

    for name, weight in model.named_parameters():
        if weight.requires_grad:
            generator = torch.Generator().manual_seed(zlib.crc32(name.rpartition("model.")[2].encode()))
            scale = 0.02 if "lora_A" in name else 0.005
            weight.data.copy_(torch.randn(weight.shape, generator=generator) * scale)


def same_completions(native) -> None:
    """Completions that depend on their prompts alone, in place of what the model would write."""
    made = {}

    def answers(prompt_ids, *_arguments, **_keywords):
        completions = []
        for ids in prompt_ids:
            place = made[tuple(ids)] = made.get(tuple(ids), -1) + 1
            draw = random.Random(zlib.crc32(repr((ids, place)).encode()))
            ended = [native.processing_class.eos_token_id] if place % 3 else []
            completions.append([draw.randrange(300, 1500) for _ in range(draw.randrange(5, 31))] + ended)
        return completions, None

    native._generate_single_turn = answers


def main() -> None:
    stage = Stage("backend", "algorithm", "batch", "precision")
    options = stage.options
    size, accumulated = BATCHES[options.batch]
    os.chdir(stage.work)
    events = []
    from aligntune import create_trainer

    more = {"precision": options.precision} if options.precision != "default" else {}
    made = job(
        options.algorithm,
        "lora",
        batch_size=size,
        gradient_accumulation_steps=accumulated,
        max_steps=2,
        learning_rate=1e-4,
        lr_scheduler="constant",
        **more,
    )
    if options.algorithm == "grpo":
        made["beta"] = 0.04
    if options.algorithm == "dapo":
        made["backend_args"] = {"mask_truncated_completions": True}
    trainer = create_trainer(
        backend=options.backend,
        model_name=stage.model,
        output_dir=str(stage.work / f"out-{options.backend}"),
        on_event=events.append,
        **made,
    )
    same_adapters(trainer.model)
    native = trainer.native
    if options.algorithm in {"grpo", "dapo", "dr_grpo"}:
        same_completions(native)
    if options.algorithm == "sft":
        rows = [native.train_dataset[n] for n in range(len(native.train_dataset))]
        stage.note(
            rows=zlib.crc32(
                json.dumps([[list(row["input_ids"]), list(row.get("labels", []))] for row in rows]).encode()
            ),
            row_count=len(rows),
            columns=sorted(rows[0]),
        )
    batch = next(iter(native.get_train_dataloader()))
    if hasattr(batch, "items"):
        stage.note(
            batch={
                name: [list(value.shape), zlib.crc32(value.cpu().numpy().tobytes())]
                for name, value in batch.items()
                if hasattr(value, "shape") and name in {"input_ids", "labels", "attention_mask", "completion_mask"}
            }
        )
    trainer.train()
    logged = [each.metrics for each in events if type(each).__name__ == "Stepped" and each.metrics]
    stage.note(first=logged[0], second=logged[1] if len(logged) > 1 else {})
    (stage.work / f"{options.backend}.json").write_text(json.dumps(stage.found, default=str), encoding="utf-8")
    stage.end()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
