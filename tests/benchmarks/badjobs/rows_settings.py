"""Settings that contradict one another, the machine, the model or the data."""

from __future__ import annotations

from badjobs.by_hand import COMMAND, LOAD, Code, command_file, script
from badjobs.folders import DATA, LONG, changed, said, text
from badjobs.jobs import grpo, sft
from badjobs.row import BadJob, Stage

_LORA = "from peft import LoraConfig"
_IN_4_BITS = "from transformers import BitsAndBytesConfig"
_EVALUATED = f'{LOAD}\nevaluation = load_dataset("json", data_files="{{file}}", split="train")'
_EVALUATION = {"trainer": "eval_dataset=evaluation", "eval_strategy": "steps", "eval_steps": 2}
_COPY = "test.jsonl"

ROWS = (
    BadJob(
        "adapter-settings-idle",
        "`lora_r: 8` without `use_peft`, so that all weights would be trained",
        sft(lora_r=8),
        COMMAND,
        "no-effect",
        files=(command_file(lora_r=8),),
    ),
    BadJob(
        "adapter-layer-missing",
        "adapters on the layer `q_porj`, which the model does not have",
        sft(use_peft=True, lora_target_modules=["q_porj", "v_proj"]),
        script(
            imports=_LORA,
            trainer='peft_config=LoraConfig(target_modules=["q_porj", "v_proj"], task_type="CAUSAL_LM")',
        ),
        "unknown-layer",
    ),
    BadJob(
        "4-bit-on-a-cpu",
        "QLoRA on a CPU: `load_in_4bit`",
        sft(use_peft=True, load_in_4bit=True),
        script(
            imports=f"{_IN_4_BITS}\n{_LORA}",
            trainer='peft_config=LoraConfig(task_type="CAUSAL_LM")',
            model_init_kwargs=Code('{"quantization_config": BitsAndBytesConfig(load_in_4bit=True)}'),
        ),
        "precision",
        remark="`bitsandbytes` is not installed here.",
    ),
    BadJob("fp16-on-a-cpu", "`precision: fp16` on a CPU", sft(precision="fp16"), script(fp16=True), "precision"),
    BadJob(
        "epochs-and-steps",
        "both `num_epochs: 3` and `max_steps: 4`",
        sft(num_epochs=3),
        script(num_train_epochs=3),
        "no-effect",
        Stage.WARNED,
    ),
    BadJob(
        "warmup-beyond-the-end",
        "`warmup_steps: 100` in a run of 4 steps: the learning rate never gets anywhere",
        sft(warmup_steps=100),
        script(warmup_steps=100),
        code="warmup-too-long",
        stage=Stage.WARNED,
    ),
    BadJob(
        "no-checkpoint-ever",
        "`save_steps: 100` in a run of 4 steps",
        sft(save_steps=100),
        script(save_steps=100),
        code="no-checkpoint",
        stage=Stage.WARNED,
        remark="Both write one checkpoint at the end; until then everything can be lost.",
    ),
    BadJob(
        "evaluation-on-training-rows",
        "the file that is evaluated on is the one that is trained on",
        sft(eval_dataset_name=DATA, eval_steps=2),
        script(before=_EVALUATED.format(file=DATA), **_EVALUATION),
        "data",
    ),
    BadJob(
        "evaluation-on-copied-rows",
        "the file that is evaluated on is a copy of the one that is trained on",
        sft(eval_dataset_name=_COPY, eval_steps=2),
        script(before=_EVALUATED.format(file=_COPY), **_EVALUATION),
        code="evaluation-overlap",
        stage=Stage.WARNED,
        files=(lambda folder: (folder / _COPY).write_bytes((folder / DATA).read_bytes()),),
    ),
    BadJob(
        "longer-than-the-context",
        "`max_seq_length: 4096` for a model of 1024 tokens, and prompts of 1199",
        sft(max_seq_length=4096),
        script(max_length=4096),
        code="beyond-context",
        stage=Stage.WARNED,
        files=(changed("sft", lambda row: {**row, "prompt": said("user", LONG)}),),
    ),
    BadJob(
        "group-of-one",
        "GRPO with `num_generations: 1`, which has nothing to compare",
        grpo(num_generations=1),
        script("GRPO", num_generations=1),
        "out-of-range",
    ),
    BadJob(
        "output-is-a-file",
        "where `output_dir` should be there is a file",
        sft(),
        script(),
        "output-not-writable",
        files=(text("out", "a file\n"),),
    ),
)
