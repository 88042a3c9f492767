"""A stage: load what a run saved by plain transformers and peft, and compare it with the live model."""

from __future__ import annotations

import sys
from pathlib import Path

from stages import Stage


def loaded(folder, base, kind, *, four_bits, full=False):
    import torch
    from transformers import BitsAndBytesConfig

    # what was trained whole is held in float32
    arguments = {"dtype": torch.float32 if full else torch.bfloat16, "device_map": {"": 0}}
    if kind.__name__.endswith("SequenceClassification"):
        arguments["num_labels"] = 1
    if four_bits:
        arguments["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
    if not (folder / "adapter_config.json").is_file():
        return kind.from_pretrained(folder, **arguments)
    from peft import PeftModel

    return PeftModel.from_pretrained(kind.from_pretrained(base, **arguments), folder)


def difference(model, live):
    import torch

    worst, total, spread = 0.0, 0.0, 0.0
    model.eval()
    for ids, logits in zip(live["ids"], live["logits"], strict=True):
        with torch.no_grad(), torch.autocast("cuda", dtype=torch.bfloat16):
            said = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.float().cpu()
        apart = (said - logits).abs()
        worst = max(worst, apart.max().item())
        total += apart.mean().item() / 2
        spread += logits.std().item() / 2 if logits.numel() > 1 else 0.0
    return {"worst": worst, "mean": total, "spread": spread}


def main() -> None:
    stage = Stage("algorithm", "method")
    work = stage.work
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

    scores = stage.options.algorithm == "reward"
    kind = AutoModelForSequenceClassification if scores else AutoModelForCausalLM
    live = torch.load(work / "live.pt")
    tokenizer = AutoTokenizer.from_pretrained(work / "saved")
    live["ids"] = [torch.tensor([tokenizer(text)["input_ids"]], device="cuda") for text in live["texts"]]
    four, full = stage.options.method == "qlora", stage.options.method == "full"
    apart = difference(loaded(work / "saved", stage.model, kind, four_bits=four, full=full), live)
    stage.note(saved=apart)
    if not scores:
        untrained = difference(loaded(Path(stage.model), stage.model, kind, four_bits=four, full=full), live)
        stage.note(untrained=untrained)
        # what training changed is far more than what bf16 rounds otherwise in other kernels
        stage.require(as_the_live_model=apart["mean"] < 0.5 * untrained["mean"])
    else:
        stage.require(as_the_live_model=apart["worst"] < 0.05)
    if (work / "merged" / "config.json").is_file():
        stage.note(merged=difference(loaded(work / "merged", stage.model, kind, four_bits=False), live))
    stage.require(no_unsloth="unsloth" not in sys.modules)
    stage.end()


if __name__ == "__main__":
    main()
