"""All the bad jobs, by what is wrong with them."""

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
