"""What goes wrong only in a run, or in going on with one."""

from __future__ import annotations

from badjobs.by_hand import script
from badjobs.folders import cut_short, removed
from badjobs.jobs import dpo, sft
from badjobs.row import BadJob, Stage

_ON = "resume_from_checkpoint=True"
_NAMED = 'resume_from_checkpoint="out/checkpoint-4"'

ROWS = (
    BadJob(
        "learning-rate-huge",
        "`learning_rate: 1e30`: the weights become infinite",
        sft(learning_rate=1e30),
        script(learning_rate=1e30),
        "run",
        Stage.TRAINING,
    ),
    BadJob("resume-nothing", "`resume: true` without a checkpoint", sft(resume=True), script(train=_ON), "checkpoint"),
    BadJob(
        "resume-half-saved",
        "the newest checkpoint was being written when the machine stopped; an older one is whole",
        sft(resume=True, max_steps=6),
        script(train=_ON, max_steps=6),
        "checkpoint-broken",
        Stage.WARNED,
        files=(removed("out/checkpoint-4/trainer_state.json"),),
        earlier=True,
    ),
    BadJob(
        "resume-without-optimiser",
        "the checkpoint that is named has lost `optimizer.pt`",
        sft(resume="out/checkpoint-4", max_steps=6),
        script(train=_NAMED, max_steps=6),
        "checkpoint",
        files=(removed("out/checkpoint-4/optimizer.pt"),),
        earlier=True,
    ),
    BadJob(
        "resume-cut-weights",
        "`model.safetensors` of the checkpoint that is named ends after its first half",
        sft(resume="out/checkpoint-4", max_steps=6),
        script(train=_NAMED, max_steps=6),
        "checkpoint",
        files=(cut_short("out/checkpoint-4/model.safetensors"),),
        earlier=True,
    ),
    BadJob(
        "resume-cut-optimiser",
        "`optimizer.pt` of the checkpoint that is named ends after its first half",
        sft(resume="out/checkpoint-4", max_steps=6),
        script(train=_NAMED, max_steps=6),
        "checkpoint",
        files=(cut_short("out/checkpoint-4/optimizer.pt"),),
        earlier=True,
    ),
    BadJob(
        "resume-finished",
        "the run that is gone on with had already taken its 4 steps",
        sft(resume=True),
        script(train=_ON),
        code="nothing-left",
        stage=Stage.WARNED,
        earlier=True,
    ),
    BadJob(
        "resume-other-algorithm",
        "a DPO job goes on from a checkpoint of SFT",
        dpo(resume="out/checkpoint-4", max_steps=6),
        script("DPO", train=_NAMED, max_steps=6),
        "checkpoint",
        earlier=True,
    ),
    BadJob(
        "earlier-run-in-the-way",
        "`output_dir` holds the checkpoints of another run",
        sft(save_steps=2),
        script(save_steps=2),
        "output-in-use",
        Stage.WARNED,
        earlier=True,
    ),
)
