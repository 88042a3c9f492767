"""A real pretrained model on real data, through the command line: minutes long, run with ``make trial``.

The model is SmolLM2-135M-Instruct as a .gguf file, named by ``ALIGNTUNE_TRIAL_MODEL`` or fetched by
``../shared/models/smollm2.sh``; the data lies in ``../shared/data``.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SHARED = Path(__file__).parents[3] / "shared"


@pytest.fixture(scope="module")
def smollm2(tmp_path_factory):
    """The model's .gguf file."""
    named = os.environ.get("ALIGNTUNE_TRIAL_MODEL")
    if named:
        return named
    script = SHARED / "models" / "smollm2.sh"
    if not script.is_file():
        pytest.skip(f"no model: ALIGNTUNE_TRIAL_MODEL is not set and {script} is not there")
    file = tmp_path_factory.mktemp("model") / "smollm2-135m-instruct.gguf"
    subprocess.run(["bash", str(script), str(file)], check=True)
    return str(file)


def data(name):
    file = SHARED / "data" / name
    if not file.is_file():
        pytest.skip(f"no data: {file} is not there")
    return str(file)


def train(folder, **job):
    words = [f"{key}={value}" for key, value in {"backend": "trl", "output_dir": folder, **job}.items()]
    program = str(Path(sys.executable).with_name("aligntune"))
    told = subprocess.run(
        [program, "train", *words, "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        check=False,
    )
    sys.stderr.write(told.stderr)
    assert told.returncode == 0
    assert "Traceback" not in told.stderr
    outcome = json.loads(told.stdout.splitlines()[-1])
    assert outcome["status"] == "ok"
    state = json.loads((Path(folder) / f"checkpoint-{job['max_steps']}" / "trainer_state.json").read_text())
    return outcome, [entry for entry in state["log_history"] if "loss" in entry]


def answer(folder, question):
    """What the saved model says, in plain transformers."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": question}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    output = model.generate(**prompt, max_new_tokens=24, do_sample=False)
    return tokenizer.decode(output[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)


def falls(log, key="loss"):
    values = [entry[key] for entry in log]
    third = len(values) // 3
    assert all(math.isfinite(value) for value in values)
    return sum(values[-third:]) < sum(values[:third])


def test_sft_with_lora_on_alpaca(smollm2, tmp_path):
    outcome, log = train(
        str(tmp_path / "sft"),
        algorithm="sft",
        model_name=smollm2,
        dataset_name=data("alpaca_en_demo.json"),
        max_samples=16,
        use_peft="true",
        lora_r=16,
        learning_rate=1e-3,
        lr_scheduler="constant",
        batch_size=2,
        max_seq_length=128,
        max_steps=24,
        logging_steps=1,
    )
    assert outcome["steps"] == 24
    assert falls(log)
    assert len(answer(outcome["output_dir"], "Name the capital of France.").split()) > 2


def test_dpo_on_hh_rlhf(smollm2, tmp_path):
    outcome, log = train(
        str(tmp_path / "dpo"),
        algorithm="dpo",
        model_name=smollm2,
        dataset_name=data("hh_rlhf_harmless_base_test.jsonl.gz"),
        max_samples=8,
        use_peft="true",
        learning_rate=5e-4,
        lr_scheduler="constant",
        batch_size=2,
        max_seq_length=256,
        max_steps=12,
        logging_steps=1,
    )
    assert falls(log)
    assert log[-1]["rewards/margins"] > 0
    assert len(answer(outcome["output_dir"], "Name the capital of France.").split()) > 2


def test_grpo_with_numeric_match_on_gsm8k(smollm2, tmp_path):
    outcome, log = train(
        str(tmp_path / "grpo"),
        algorithm="grpo",
        model_name=smollm2,
        dataset_name=data("gsm8k_train.jsonl"),
        max_samples=16,
        use_peft="true",
        reward_functions="numeric_match",
        num_generations=4,
        max_completion_length=48,
        learning_rate=1e-4,
        max_steps=3,
        logging_steps=1,
    )
    assert outcome["steps"] == 3
    assert all(math.isfinite(entry["loss"]) and 0 <= entry["reward"] <= 1 for entry in log)


def test_sft_then_reward_then_ppo_on_hh_rlhf(tmp_path):
    """One after another on a model that a laptop trains in seconds."""
    dialogues = data("hh_rlhf_harmless_base_test.jsonl.gz")
    common = {"max_samples": 48, "batch_size": 4, "max_steps": 4, "logging_steps": 1}
    sft, _ = train(
        str(tmp_path / "sft"),
        algorithm="sft",
        model_name="builtin:tiny",
        dataset_name=data("alpaca_en_demo.json"),
        max_seq_length=256,
        learning_rate=1e-3,
        **common,
    )
    reward, _ = train(
        str(tmp_path / "reward"),
        algorithm="reward",
        model_name=sft["output_dir"],
        dataset_name=dialogues,
        max_seq_length=512,
        learning_rate=1e-3,
        **common,
    )
    ppo, log = train(
        str(tmp_path / "ppo"),
        algorithm="ppo",
        model_name=sft["output_dir"],
        reward_model_name=reward["output_dir"],
        dataset_name=dialogues,
        max_completion_length=24,
        learning_rate=1e-4,
        **common,
    )
    assert ppo["steps"] == 4
    assert all(math.isfinite(entry["reward/mean"]) for entry in log)
