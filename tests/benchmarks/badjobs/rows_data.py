"""Data that are not there, can't be read, or hold nothing to learn from."""

from __future__ import annotations

from badjobs.by_hand import LOAD, ONE_BY_ONE, script
from badjobs.folders import DATA, LONG, changed, cut_short, good_rows, rows, said, text
from badjobs.jobs import dpo, grpo, sft
from badjobs.row import BadJob, Stage


def _longer(count):
    def write(folder):
        found = good_rows("sft")
        long = [{**row, "prompt": said("user", LONG)} for row in found[:count]]
        rows([*long, *found[count:]])(folder)

    return write


def _four_prompts(folder):
    rows(good_rows("grpo")[:4])(folder)


def _broken_line(folder):
    lines = (folder / DATA).read_text(encoding="utf-8").splitlines()
    lines[16] = lines[16][: len(lines[16]) // 2]
    (folder / DATA).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _raw_dialogue(row):
    begins = f"\n\nHuman: {row['prompt'][0]['content']}\n\nAssistant: I think"
    return {"chosen": f"{begins} that {row['chosen'][0]['content'].strip()}", "rejected": f"{begins} not."}


ROWS = (
    BadJob(
        "data-missing",
        "the dataset's name is misspelt: `data/rows.jsnl`",
        sft(dataset_name="data/rows.jsnl"),
        script(before=LOAD.replace("jsonl", "jsnl")),
        code="data",
    ),
    BadJob(
        "data-half-broken",
        "line 17 of the JSON lines is cut short",
        sft(),
        script(),
        "data",
        files=(_broken_line,),
    ),
    BadJob(
        "data-cut-short", "the file ends in mid-line", sft(), script(), "data", Stage.LAUNCH, files=(cut_short(DATA),)
    ),
    BadJob("data-empty", "the data file is empty", sft(), script(), "data", files=(text(DATA, ""),)),
    BadJob(
        "data-empty-grpo",
        "GRPO on a data file that is empty",
        grpo(),
        script("GRPO", before=ONE_BY_ONE),
        "data",
        files=(text(DATA, ""),),
    ),
    BadJob(
        "split-misspelt",
        "`dataset_split: trian`",
        sft(dataset_split="trian"),
        script(before=LOAD.replace('"train"', '"trian"')),
        "data",
    ),
    BadJob(
        "columns-unknown",
        "SFT on the columns `query` and `reply`",
        sft(),
        script(),
        "data",
        files=(changed("sft", lambda row: {"query": row["prompt"], "reply": row["completion"]}),),
    ),
    BadJob(
        "column-missing",
        "DPO on pairs without `rejected`",
        dpo(),
        script("DPO"),
        "data",
        files=(changed("dpo", lambda row: {"prompt": row["prompt"], "chosen": row["chosen"]}),),
    ),
    BadJob(
        "no-prompts",
        "GRPO on plain texts, in which nothing is a prompt",
        grpo(),
        script("GRPO"),
        "data",
        files=(changed("grpo", lambda row: {"text": row["prompt"][0]["content"]}),),
    ),
    BadJob(
        "too-few-prompts",
        "GRPO with 4 prompts, where one step takes 8",
        grpo(batch_size=8),
        script("GRPO", per_device_train_batch_size=32),
        code="too-few-rows",
        files=(_four_prompts,),
    ),
    BadJob(
        "all-prompts-too-long",
        "every prompt is longer than `max_seq_length`: no answer is left",
        sft(),
        script(),
        code="nothing-to-learn",
        files=(_longer(32),),
    ),
    BadJob(
        "some-prompts-too-long",
        "8 of 32 prompts are longer than `max_seq_length`",
        sft(),
        script(),
        code="rows-left-out",
        stage=Stage.WARNED,
        files=(_longer(8),),
    ),
    BadJob(
        "prompts-beyond-the-context",
        "GRPO prompts of 1199 tokens for a model of 1024",
        grpo(),
        script("GRPO"),
        code="prompt-too-long",
        files=(changed("grpo", lambda row: {**row, "prompt": said("user", LONG)}),),
    ),
    BadJob(
        "nothing-to-learn",
        "conversations without an answer, trained on answers only",
        sft(),
        script(assistant_only_loss=True),
        "data",
        files=(changed("sft", lambda row: {"messages": row["prompt"]}),),
    ),
    BadJob(
        "unknown-role",
        "the answers are of the role `asistant`",
        sft(),
        script(),
        code="data",
        files=(
            changed(
                "sft",
                lambda row: {"messages": [*row["prompt"], {**row["completion"][0], "role": "asistant"}]},
            ),
        ),
    ),
    BadJob(
        "equal-answers",
        "DPO on pairs in which both answers are the same",
        dpo(),
        script("DPO"),
        code="data",
        files=(changed("dpo", lambda row: {**row, "rejected": row["chosen"]}),),
    ),
    BadJob(
        "raw-dialogues",
        "DPO on whole dialogues as text (hh-rlhf), whose answers begin with the same words",
        dpo(),
        script("DPO"),
        stage=Stage.MEANT,
        files=(changed("dpo", _raw_dialogue),),
        proof="read as hh_rlhf",
        remark=(
            "AlignTune reads the turns, so both answers are whole. TRL splits at the first letter that differs, so "
            'that the words "I think" of the answers go to the prompt.'
        ),
    ),
)
