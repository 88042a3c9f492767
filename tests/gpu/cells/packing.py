"""A stage: the first step on packed rows, which has to be that of the same rows padded."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from jobs import job
from parity import same_adapters
from stages import Stage

ROWS = 8
"""As many as one packed sequence holds, so that both ways learn from the same tokens at once."""
PACKED = {"batch_size": 1, "packing": True}


def main() -> None:
    stage = Stage("backend", "way")
    os.chdir(stage.work)
    events = []
    from aligntune import create_trainer

    packed = stage.options.way == "packed"
    trainer = create_trainer(
        backend=stage.options.backend,
        model_name=stage.model,
        output_dir=str(stage.work / f"out-{stage.options.way}"),
        max_steps=1,
        on_event=events.append,
        **job("sft", "lora", max_samples=ROWS, max_seq_length=512, **(PACKED if packed else {"batch_size": ROWS})),
    )
    same_adapters(trainer.model)
    batch = next(iter(trainer.native.get_train_dataloader()))
    stage.note(batch={name: list(value.shape) for name, value in batch.items() if hasattr(value, "shape")})
    trainer.train()
    first = next(each.metrics for each in events if type(each).__name__ == "Stepped" and each.metrics)
    stage.note(first=first)
    kept = stage.work / "padded.json"
    if packed:
        padded = json.loads(kept.read_text(encoding="utf-8"))
        apart = {name: abs(first[name] - padded[name]) / abs(padded[name]) for name in ("loss", "grad_norm")}
        stage.note(padded=padded, apart=apart)
        stage.require(is_one_sequence=stage.found["batch"]["input_ids"][0] == 1, same=max(apart.values()) < 0.02)
    else:
        kept.write_text(json.dumps(first), encoding="utf-8")
    stage.end()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
