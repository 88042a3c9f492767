"""The algorithms that learn from a dataset do, and don't when nothing is updated."""

import pytest
import torch
from trl_runs import EVERY_LAYER, LABELLED, build, trained

from aligntune_core.data.builtin import builtin_rows

FROZEN = 1e-12
SETTINGS = {
    "sft": {"dataset_name": "builtin:instructions", "max_steps": 8},
    "dpo": {"dataset_name": "builtin:preferences", "max_steps": 4, "eval_dataset_split": "test"},
    "kto": {"dataset_name": LABELLED, "max_steps": 6},
    "reward": {"dataset_name": "builtin:preferences", "max_steps": 5},
}
ALGORITHMS = tuple(SETTINGS)


def train(algorithm, folder, *, lora=False, learning_rate=None):
    settings = {"model_name": "builtin:tiny", "output_dir": str(folder), "batch_size": 8, **SETTINGS[algorithm]}
    learning_rate = learning_rate or (1e-2 if lora else 2e-3)
    return trained(build(algorithm, learning_rate=learning_rate, **settings, **(EVERY_LAYER if lora else {})))


def held_out_margins(run, folder):
    """How much better the saved reward model likes the chosen answers of pairs it hasn't seen."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    run.trainer.save(folder, merge=True)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()

    def score(text):
        ids = torch.tensor([[*tokenizer(text)["input_ids"], tokenizer.eos_token_id]])
        with torch.no_grad():
            return model(ids).logits.item()

    rows = builtin_rows("builtin:preferences", "test")
    return [score(row["prompt"] + row["chosen"]) - score(row["prompt"] + row["rejected"]) for row in rows]


def held_out_changes(run):
    """By how much the mean log-probability of good and of bad answers to unseen questions rose, in nats."""
    from transformers import AutoModelForCausalLM

    from aligntune_core.models.tiny import materialise

    tokenizer, native = run.trainer.tokenizer, run.trainer.native
    start = AutoModelForCausalLM.from_pretrained(materialise())

    def likelihood(model, row, column):
        prompt = tokenizer(row["prompt"])["input_ids"]
        ids = torch.tensor([[*prompt, *tokenizer(row[column])["input_ids"], tokenizer.eos_token_id]])
        labels = ids.clone()
        labels[:, : len(prompt)] = -100
        with torch.no_grad():
            return -model(ids, labels=labels).loss.item() * (ids.shape[1] - len(prompt))

    model = native.model.eval()
    rows = builtin_rows("builtin:preferences", "test")
    return {
        column: sum(likelihood(model, row, column) - likelihood(start, row, column) for row in rows) / len(rows)
        for column in ("chosen", "rejected")
    }


def learnt(algorithm, run, folder):
    """Whether a run learnt what its algorithm is for."""
    if algorithm == "sft":
        losses = run.logged("loss")
        return losses[-1] < 0.9 * losses[0]
    if algorithm == "reward":
        margins = held_out_margins(run, folder)
        return min(margins) > 0 and sum(margins) / len(margins) > 1
    if algorithm == "dpo":
        margins, accuracies = run.logged("rewards/margins"), run.logged("rewards/accuracies")
        held_out = run.trainer.evaluate()
        rose = margins[-1] > margins[0] + 0.3 and accuracies[-1] > 0.9 > accuracies[0]
        return rose and held_out["eval_rewards/margins"] > 0.3 and held_out["eval_rewards/accuracies"] > 0.9
    changes = held_out_changes(run)
    return changes["chosen"] > changes["rejected"] + 1


@pytest.mark.parametrize("lora", [False, True], ids=["full", "lora"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_it_learns(algorithm, lora, tmp_path):
    run = train(algorithm, tmp_path / "run", lora=lora)
    assert learnt(algorithm, run, tmp_path / "saved")
    assert run.warnings() == []


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_nothing_is_learnt_without_updates(algorithm, tmp_path):
    run = train(algorithm, tmp_path / "run", learning_rate=FROZEN)
    assert not learnt(algorithm, run, tmp_path / "saved")
