"""Training through AlignTune and through a script written by hand on TRL: the same losses to the last digit."""

from __future__ import annotations

import json
import sys

import pytest

from aligntune import create_trainer
from aligntune_core.data.builtin import builtin_rows
from aligntune_core.events import ignore
from aligntune_core.models.tiny import materialise

STEPS = 6
LORA = {"r": 8, "lora_alpha": 16, "lora_dropout": 0.05}


def by_hand(algorithm, model, rows, folder, lora):
    """What a person who knows TRL would write."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoTokenizer, set_seed
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    if algorithm == "sft":
        config, trainer = SFTConfig, SFTTrainer
        rows = [
            {
                "prompt": [{"role": "user", "content": "\n\n".join(filter(None, [row["instruction"], row["input"]]))}],
                "completion": [{"role": "assistant", "content": row["output"]}],
            }
            for row in rows
            if row["output"]
        ]
    else:
        config, trainer = DPOConfig, DPOTrainer
    set_seed(7)  # which TRL does itself since 1.15
    native = trainer(
        model=model,
        args=config(
            output_dir=folder,
            max_steps=STEPS,
            per_device_train_batch_size=4,
            learning_rate=1e-3,
            warmup_steps=2,
            weight_decay=0.01,
            max_length=128,
            logging_steps=1,
            seed=7,
            bf16=False,
            report_to="none",
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(model),
        peft_config=LoraConfig(task_type="CAUSAL_LM", **LORA) if lora else None,
    )
    native.train()
    return losses(native)


def through_aligntune(algorithm, model, file, folder, lora):
    trainer = create_trainer(
        algorithm=algorithm,
        backend="trl",
        model_name=model,
        dataset_name=file,
        output_dir=folder,
        max_steps=STEPS,
        batch_size=4,
        learning_rate=1e-3,
        warmup_steps=2,
        weight_decay=0.01,
        max_seq_length=128,
        logging_steps=1,
        seed=7,
        on_event=ignore,
        **({"use_peft": True, "lora_r": 8, "lora_alpha": 16, "lora_dropout": 0.05} if lora else {}),
    )
    trainer.train()
    return losses(trainer.native)


def losses(native):
    return [entry["loss"] for entry in native.state.log_history if "loss" in entry]


@pytest.mark.parametrize("lora", [False, True], ids=["full", "lora"])
@pytest.mark.parametrize(("algorithm", "dataset"), [("sft", "instructions"), ("dpo", "preferences")])
def test_losses_are_those_of_a_script_written_by_hand(algorithm, dataset, lora, tmp_path):
    rows = builtin_rows(f"builtin:{dataset}")
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    model = str(materialise())

    ours = through_aligntune(algorithm, model, str(file), str(tmp_path / "ours"), lora)
    theirs = by_hand(algorithm, model, rows, str(tmp_path / "theirs"), lora)

    assert len(ours) == STEPS
    assert ours == theirs
    assert "unsloth" not in sys.modules
