"""A stage: SFT through AlignTune and by a script on Unsloth, in turns in one process."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from statistics import median

from jobs import job
from stages import Stage

TURNS, STEPS, WARM_UP, BATCH, LENGTH = 5, 30, 10, 8, 256


def through_aligntune(model: str, folder: Path):
    from aligntune import create_trainer

    settings = job("sft", "lora", batch_size=BATCH, max_seq_length=LENGTH, logging_steps=1000)
    return create_trainer(
        backend="unsloth",
        model_name=model,
        output_dir=str(folder),
        max_steps=STEPS,
        on_event=lambda _event: None,
        **settings,
    ).native


def by_hand(model: str, folder: Path, *, padding_free: bool | None):
    """What a person who knows Unsloth would write."""
    import torch
    import unsloth
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from aligntune_core.data.builtin import builtin_rows

    loaded, tokenizer = unsloth.FastLanguageModel.from_pretrained(
        model, max_seq_length=LENGTH, dtype=torch.bfloat16, load_in_4bit=False, use_exact_model_name=True
    )
    loaded = unsloth.FastLanguageModel.get_peft_model(
        loaded, r=16, lora_alpha=32, lora_dropout=0.0, target_modules=["q_proj", "v_proj"], random_state=7
    )
    rows = [
        {
            "prompt": [{"role": "user", "content": "\n\n".join(filter(None, [row["instruction"], row["input"]]))}],
            "completion": [{"role": "assistant", "content": row["output"]}],
        }
        for row in builtin_rows("builtin:instructions")
        if row["output"]
    ]
    more = {} if padding_free is None else {"padding_free": padding_free}
    return SFTTrainer(
        loaded,
        args=SFTConfig(
            output_dir=str(folder),
            max_steps=STEPS,
            per_device_train_batch_size=BATCH,
            gradient_accumulation_steps=1,
            learning_rate=1e-3,
            optim="adamw_torch_fused",
            weight_decay=0.0,
            warmup_steps=0,
            bf16=True,
            seed=7,
            logging_steps=1000,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            max_length=LENGTH,
            max_seq_length=LENGTH,
            **more,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
    )


def main() -> None:
    stage = Stage()
    os.chdir(stage.work)
    import torch

    from aligntune_unsloth.process import import_unsloth, printing_to_stderr

    import_unsloth(str(stage.work / "out"))
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        def __init__(self):
            self.begun = 0.0
            self.seconds = 0.0

        def on_step_end(self, args, state, control, **_kwargs):
            torch.cuda.synchronize()
            if state.global_step == WARM_UP:
                self.begun = time.perf_counter()
            elif state.global_step == STEPS:
                self.seconds = time.perf_counter() - self.begun

    with printing_to_stderr():
        ways = {
            "aligntune": through_aligntune(stage.model, stage.work / "out"),
            "by hand, padded": by_hand(stage.model, stage.work / "hand", padding_free=False),
            "by hand, as unsloth chooses": by_hand(stage.model, stage.work / "free", padding_free=None),
        }
        stage.note(padding_free={name: getattr(native, "padding_free", None) for name, native in ways.items()})
        found = {name: [] for name in ways}
        peaks = {name: [] for name in ways}
        for _turn in range(TURNS):
            for name, native in ways.items():
                clock = Clock()
                native.add_callback(clock)
                torch.cuda.reset_peak_memory_stats()
                resident = torch.cuda.memory_allocated()
                native.train()
                native.remove_callback(clock)
                found[name].append(round(clock.seconds / (STEPS - WARM_UP), 5))
                peaks[name].append(round((torch.cuda.max_memory_allocated() - resident) / 2**20, 1))
    seconds = {name: median(values) for name, values in found.items()}
    memory = {name: median(values) for name, values in peaks.items()}
    stage.note(
        seconds_a_step=found,
        memory_mib=peaks,
        speed_against_by_hand=seconds["by hand, padded"] / seconds["aligntune"],
        speed_against_unsloths_choice=seconds["by hand, as unsloth chooses"] / seconds["aligntune"],
        memory_against_by_hand=memory["aligntune"] / max(memory["by hand, padded"], 1.0),
    )
    stage.end()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
