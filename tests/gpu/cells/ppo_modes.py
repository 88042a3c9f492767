"""A stage: PPO's policy, reference and value model on Unsloth's decoders, which would drop the attention mask."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from jobs import job
from stages import Stage


def padded(ids, mask, pad, width):
    import torch

    left = torch.full((ids.shape[0], width), pad, device=ids.device)
    return torch.cat([left, ids], 1), torch.cat([torch.zeros_like(left), mask], 1)


def main() -> None:
    stage = Stage()
    os.chdir(stage.work)
    import torch

    from aligntune import create_trainer

    trainer = create_trainer(
        backend="unsloth",
        model_name=stage.model,
        output_dir=str(stage.work / "out"),
        max_steps=2,
        gradient_checkpointing=True,
        on_event=lambda _event: None,
        **job("ppo", "lora"),
    )
    from aligntune_trl.ppo.actor_critic import score_tokens

    native = trainer.native
    reference = {
        name: weight.detach().clone() for name, weight in native.reference.named_parameters() if "lora_" in name
    }
    trainer.train()
    same = all(
        torch.equal(weight, reference[name])
        for name, weight in native.reference.named_parameters()
        if name in reference
    )
    stage.require(reference_unchanged=same and bool(reference))
    moved = [name for name, weight in native.policy.named_parameters() if "lora_B" in name and weight.abs().max() > 0]
    stage.require(policy_trained=bool(moved))
    flags = [name for name, module in native.policy.named_modules() if getattr(module, "_flag_for_generation", False)]
    recomputing = [
        bool(module.gradient_checkpointing)
        for module in native.policy.modules()
        if hasattr(module, "gradient_checkpointing")
    ]
    critic = [
        bool(module.gradient_checkpointing)
        for module in native.value_model.modules()
        if hasattr(module, "gradient_checkpointing")
    ]
    stage.note(flags=flags[:5], recomputing=[sum(recomputing), len(recomputing)], critic=[sum(critic), len(critic)])
    stage.require(learns_again=not flags, recomputes_again=any(recomputing))
    text = "What is 3 minus 1? Name the day that comes next."
    ids = torch.tensor([trainer.tokenizer(text)["input_ids"]], device="cuda")
    mask, length = torch.ones_like(ids), 6
    more_ids, more_mask = padded(ids, mask, trainer.tokenizer.pad_token_id, 9)
    native.model.train()
    with torch.no_grad(), torch.autocast("cuda", dtype=torch.bfloat16):
        for name, model in (("policy", native.policy), ("reference", native.reference)):
            alone = score_tokens(model, ids, mask, length, 1.0).log_probs
            left = score_tokens(model, more_ids, more_mask, length, 1.0).log_probs
            stage.note(**{f"{name}_apart": (alone - left).abs().max().item()})
            stage.require(**{f"{name}_reads_no_padding": (alone - left).abs().max().item() < 0.1})
        native.value_model.head.weight.data.normal_(0, 0.02)
        alone = native.value_model(ids, mask)[:, -length:]
        left = native.value_model(more_ids, more_mask)[:, -length:]
        stage.note(value_apart=(alone - left).abs().max().item(), value_spread=alone.float().std().item())
        stage.require(value_reads_no_padding=(alone - left).abs().max().item() < 0.1)
    stage.end()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
