"""All the bad jobs, by what is wrong with them, and the codes that the deeper check is to give them."""

from __future__ import annotations

from badjobs import rows_data, rows_jobfile, rows_model, rows_rewards, rows_runs, rows_settings
from badjobs.by_hand import COMMAND, command_file, script
from badjobs.jobs import dpo, grpo, sft
from badjobs.row import BadJob, Stage

GOOD = (
    BadJob("good-sft", "nothing: SFT", sft(), script(), stage=Stage.TRAINED),
    BadJob(
        "good-command",
        "nothing: SFT, by the program `trl`",
        sft(),
        COMMAND,
        stage=Stage.TRAINED,
        files=(command_file(),),
    ),
    BadJob(
        "good-resume",
        "nothing: SFT, gone on with from step 4 to step 6",
        sft(resume=True, max_steps=6),
        script(train="resume_from_checkpoint=True", max_steps=6),
        stage=Stage.TRAINED,
        earlier=True,
    ),
    BadJob(
        "good-lora",
        "nothing: SFT with LoRA adapters",
        sft(use_peft=True),
        script(imports="from peft import LoraConfig", trainer='peft_config=LoraConfig(task_type="CAUSAL_LM")'),
        stage=Stage.TRAINED,
    ),
    BadJob("good-dpo", "nothing: DPO", dpo(), script("DPO"), stage=Stage.TRAINED),
    BadJob("good-grpo", "nothing: GRPO", grpo(), script("GRPO"), stage=Stage.TRAINED),
)
SECTIONS: dict[str, tuple[BadJob, ...]] = {
    "For comparison: good jobs": GOOD,
    "The job as it is written": rows_jobfile.ROWS,
    "Settings": rows_settings.ROWS,
    "Data": rows_data.ROWS,
    "Models and tokenizers": rows_model.ROWS,
    "Rewards": rows_rewards.ROWS,
    "Runs": rows_runs.ROWS,
}
JOBS = tuple(job for jobs in SECTIONS.values() for job in jobs)
AWAITED: dict[str, str] = {
    "warmup-beyond-the-end": "warmup-too-long",
    "no-checkpoint-ever": "no-checkpoint",
    "evaluation-on-copied-rows": "evaluation-overlap",
    "longer-than-the-context": "beyond-context",
    "data-missing": "data",
    "split-misspelt": "data",
    "too-few-prompts": "too-few-prompts",
    "all-prompts-too-long": "too-long",
    "some-prompts-too-long": "too-long",
    "prompts-beyond-the-context": "beyond-context",
    "nothing-to-learn": "data",
    "unknown-role": "data",
    "equal-answers": "data",
    "no-tokenizer": "model-broken",
    "no-chat-template": "no-chat-template",
    "no-end-token": "no-end-token",
    "pad-is-end": "pad-is-end",
    "adapter-layer-missing": "unknown-layer",
    "model-not-finite": "model-broken",
    "reward-model-of-three-labels": "reward-model",
    "policy-as-reward-model": "reward-model",
    "reward-too-few": "reward-function",
    "reward-of-words": "reward-function",
    "reward-raises": "reward-function",
    "reward-column-missing": "reward-function",
    "reward-nan": "reward-function",
    "reward-none": "reward-function",
    "reward-partly-nan": "reward-function",
    "resume-finished": "nothing-left",
}
"""What ``check`` is to say once it reads the data, the tokenizer and the reward functions: right as soon as it does."""
