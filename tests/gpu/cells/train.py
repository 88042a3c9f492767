"""A stage: train a job a few steps, and leave its model and what it says behind."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from jobs import job
from stages import Stage

STEPS = 4
OURS = ("out/", "saved/", "merged/", "scored/", "live.pt", "std")
"""What a stage itself leaves in its folder."""


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


def checksums(model) -> list[float]:
    return [weight.detach().double().sum().item() for weight in model.parameters() if weight.requires_grad]


def made(stage: Stage, output: Path, events: list[object]):
    """The trainer, and what can be told of it before it trains."""
    from aligntune import create_trainer

    options = stage.options
    more = {}
    if options.mode == "resume":
        more = {"resume": str(output / "checkpoint-2")}
    elif options.mode == "scored":
        # rewards come from the model that the stage before has trained
        more = {"reward_functions": None, "reward_model_name": str(stage.work / "saved")}
    settings = job(options.algorithm, options.method, **more)
    settings = {name: value for name, value in settings.items() if value is not None}
    trainer = create_trainer(
        backend=options.backend,
        model_name=stage.model,
        eval_dataset_name=settings["dataset_name"],
        output_dir=str(output),
        max_steps=STEPS,
        save_steps=2,
        on_event=events.append,
        **settings,
    )
    model = trainer.model
    stage.note(
        trainer=f"{type(trainer.native).__module__}.{type(trainer.native).__name__}",
        trained_in=sorted({str(each.dtype) for each in model.parameters() if each.requires_grad}),
        trained=sum(each.numel() for each in model.parameters() if each.requires_grad),
        in_4_bits=sum(type(module).__name__ == "Linear4bit" for module in model.modules()),
    )
    stage.require(named_model=str(getattr(model.config, "_name_or_path", "")) == stage.model)
    return trainer


def trained(stage: Stage, trainer, events: list[object]) -> None:
    """The run, and what it logged."""
    import torch

    result = trainer.train()
    logged = [each.metrics for each in events if type(each).__name__ == "Stepped" and each.metrics]
    losses = [each.get("loss") for each in logged]
    stage.note(
        steps=result.steps,
        losses=losses,
        grad_norms=[each.get("grad_norm") for each in logged],
        metrics=logged[-1] if logged else {},
        peak_gib=round(torch.cuda.max_memory_allocated() / 2**30, 2),
        notices=[each.message for each in events if type(each).__name__ == "Notice"],
    )
    finite = all(loss is not None and abs(loss) < 1e6 for loss in losses)
    stage.require(all_steps=result.steps == STEPS, losses_finite=finite)


def saved(stage: Stage, trainer) -> None:
    """The model on disk, and what it says live."""
    trainer.save(stage.work / "saved")
    logits(trainer.model, trainer.tokenizer, stage.work / "live.pt")
    stage.note(saved=sorted(path.name for path in (stage.work / "saved").iterdir()))
    if stage.options.method == "lora":
        try:
            trainer.save(stage.work / "merged", merge=True)
        except Exception as error:
            stage.note(merged=f"{type(error).__name__}: {error}"[:400])
        stage.require(merges=(stage.work / "merged" / "config.json").is_file())


def went_on(stage: Stage, whole: list[float]) -> None:
    """Whether the losses after a resume are those of the run that was not interrupted."""
    losses = stage.found["losses"]
    apart = [abs(one - other) / max(abs(other), 1.0) for one, other in zip(losses, whole, strict=False)]
    stage.note(whole=whole)
    stage.require(goes_on_as_uninterrupted=len(apart) == STEPS - 2 and max(apart) < 0.02)


def main() -> None:
    stage = Stage("backend", "algorithm", "method", "mode")
    options, work = stage.options, stage.work
    os.chdir(work)
    before, events = everything_under(work), []
    output = work / ("scored" if options.mode == "scored" else "out")
    trainer = made(stage, output, events)
    trained(stage, trainer, events)
    kept = output / "losses.json"
    if options.mode == "resume":
        went_on(stage, json.loads(kept.read_text(encoding="utf-8"))[2:])
    else:
        kept.write_text(json.dumps(stage.found["losses"]), encoding="utf-8")
        before_it = checksums(trainer.model)
        stage.note(evaluation=trainer.evaluate())
        stage.require(evaluation_changes_nothing=checksums(trainer.model) == before_it)
    if options.mode == "fresh":
        saved(stage, trainer)
    outside = sorted(each for each in everything_under(work) - before if not each.startswith(OURS))
    stage.note(outside=outside[:20], dialled=stage.dialled)
    stage.require(nothing_outside=not outside, no_connection=not stage.dialled)
    if options.backend == "unsloth" and options.algorithm == "sft":
        from aligntune import check

        settings = job("sft", "lora", model_name=stage.model, output_dir=str(work / "other"))
        verdict = check(level="fast", backend="trl", **settings)
        stage.require(trl_refused_here=any(each.code == "process-patched" for each in verdict.problems))
    stage.end()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
