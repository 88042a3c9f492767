"""A stage: train a job a few steps, and leave its model and what it says behind."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from jobs import job
from stages import Stage

STEPS = 4


def everything_under(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def logits(model, tokenizer, path: Path) -> None:
    """What the model says of two texts, as it is now."""
    import torch

    texts = ["What is 3 minus 1?", "Name the day that comes next. Saturday and then some more words."]
    was_training = model.training
    model.eval()
    rows = []
    with torch.no_grad(), torch.autocast("cuda", dtype=torch.bfloat16):
        for text in texts:
            ids = torch.tensor([tokenizer(text)["input_ids"]], device="cuda")
            rows.append(model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits.float().cpu())
    model.train(was_training)
    torch.save({"texts": texts, "logits": rows}, path)


def main() -> None:
    stage = Stage("backend", "algorithm", "method", "mode")
    options, work = stage.options, stage.work
    resumes = options.mode == "resume"
    os.chdir(work)
    before = everything_under(work)
    events = []
    from aligntune import create_trainer

    output = work / "out"
    more = {"resume": str(output / "checkpoint-2")} if resumes else {}
    trainer = create_trainer(
        backend=options.backend,
        model_name=stage.model,
        output_dir=str(output),
        max_steps=STEPS,
        save_steps=2,
        on_event=events.append,
        **job(options.algorithm, options.method, **more),
    )
    import torch

    model = trainer.model
    kinds = {str(each.dtype) for each in model.parameters() if each.requires_grad}
    stage.note(
        trainer=f"{type(trainer.native).__module__}.{type(trainer.native).__name__}",
        base=str(getattr(model.config, "_name_or_path", "")),
        trained_in=sorted(kinds),
        trained=sum(each.numel() for each in model.parameters() if each.requires_grad),
        in_4_bits=sum(type(module).__name__ == "Linear4bit" for module in model.modules()),
        heads=[name for name, each in model.named_parameters() if each.requires_grad and "score" in name],
    )
    result = trainer.train()
    logged = [each.metrics for each in events if type(each).__name__ == "Stepped" and each.metrics]
    stage.note(
        steps=result.steps,
        losses=[each.get("loss") for each in logged],
        grad_norms=[each.get("grad_norm") for each in logged],
        metrics=logged[-1] if logged else {},
        peak_gib=round(torch.cuda.max_memory_allocated() / 2**30, 2),
        notices=[each.message for each in events if type(each).__name__ == "Notice"],
    )
    stage.require(
        all_steps=result.steps == STEPS,
        losses_finite=all(loss is not None and abs(loss) < 1e6 for loss in stage.found["losses"]),
        named_model=str(stage.found["base"]) == stage.model,
        no_connection=not stage.dialled,
    )
    kept = work / "out" / "losses.json"
    if resumes:
        whole = json.loads(kept.read_text(encoding="utf-8"))[2:]
        stage.note(whole=whole)
        apart = [
            abs(one - other) / max(abs(other), 1.0) for one, other in zip(stage.found["losses"], whole, strict=False)
        ]
        stage.require(goes_on_as_uninterrupted=len(apart) == STEPS - 2 and max(apart) < 0.02)
    else:
        kept.write_text(json.dumps(stage.found["losses"]), encoding="utf-8")
        trainer.save(work / "saved")
        logits(trainer.model, trainer.tokenizer, work / "live.pt")
        stage.note(saved=sorted(path.name for path in (work / "saved").iterdir()))
        if options.method == "lora":
            try:
                trainer.save(work / "merged", merge=True)
            except Exception as error:
                stage.note(merged=f"{type(error).__name__}: {error}"[:400])
    outside = sorted(
        each
        for each in everything_under(work) - before
        if not each.startswith(("out/", "saved/", "merged/", "live.pt", "std"))
    )
    stage.note(outside=outside[:20])
    stage.require(nothing_outside=not outside)
    if options.backend == "unsloth" and options.algorithm == "sft":
        from aligntune import check

        verdict = check(
            level="fast", backend="trl", model_name=stage.model, output_dir=str(work / "o2"), **job("sft", "lora")
        )
        stage.require(trl_refused_here=any(each.code == "process-patched" for each in verdict.problems))
    stage.end()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
