"""Jobs that are not written as they should be."""

from __future__ import annotations

import json

from badjobs.by_hand import COMMAND, command_file, script
from badjobs.jobs import grpo, sft
from badjobs.row import BadJob, Stage

_LINES = "".join(f"{key}: {json.dumps(value)}\n" for key, value in sft().items())
_NOT_YAML = b"algorithm: sft\nmodel_name: [./model\ndataset_name: data/rows.jsonl\n"

ROWS = (
    BadJob(
        "misspelt-key",
        "`learning_rte: 0.001`",
        sft(learning_rate=None, learning_rte=1e-3),
        script(learning_rate=None, learning_rte=1e-3),
        "unknown-key",
    ),
    BadJob(
        "misspelt-word",
        "`learning_rte=1e-3` on the command line",
        sft(),
        (*COMMAND, "--learning_rte", "1e-3"),
        "unknown-key",
        files=(command_file(),),
        words=("job.yaml", "learning_rte=1e-3"),
    ),
    BadJob(
        "job-file-missing",
        "the job file's name is misspelt: `jbo.yaml`",
        sft(),
        ("sft", "--config", "jbo.yaml"),
        "job-file",
        words=("jbo.yaml",),
    ),
    BadJob(
        "job-file-not-yaml",
        "a bracket is not closed",
        _NOT_YAML,
        ("sft", "--config", "job.yaml"),
        "job-file",
    ),
    BadJob(
        "job-file-not-utf8",
        "the job file is saved as Latin-1, with an accent in it",
        _LINES.replace('"out"', '"r\u00e9sultat"').encode("latin-1"),
        ("sft", "--config", "job.yaml"),
        "job-file",
    ),
    BadJob(
        "key-twice",
        "`learning_rate` is there twice, with two values",
        f"{_LINES}learning_rate: 0.5\n".encode(),
        COMMAND,
        "job-file",
        files=(command_file(), lambda folder: _append(folder / "trl.yaml", "learning_rate: 0.5\n")),
    ),
    BadJob(
        "no-model",
        "the job names no model",
        sft(model_name=None),
        COMMAND,
        "missing-key",
        files=(command_file(model_name_or_path=None),),
    ),
    BadJob(
        "unknown-algorithm", "`algorithm: sftt`", sft(algorithm="sftt"), ("sftt", *COMMAND[1:]), "unknown-algorithm"
    ),
    BadJob("unknown-backend", "`backend: trll`", sft(backend="trll"), None, "unknown-backend"),
    BadJob(
        "unsupported-algorithm",
        "GSPO on Unsloth, which does not train it",
        grpo(algorithm="gspo", backend="unsloth"),
        None,
        "unsupported-algorithm",
    ),
    BadJob(
        "backend-not-installed",
        "`backend: unsloth` where Unsloth is not installed",
        sft(backend="unsloth"),
        None,
        "backend-not-installed",
    ),
    BadJob(
        "unknown-engine-setting",
        "an engine setting is misspelt: `packign`",
        sft(backend_args={"packign": True}),
        script(packign=True),
        "unknown-key",
    ),
    BadJob(
        "wrong-type",
        "`packing: sometimes`, where true or false is meant",
        sft(packing="sometimes"),
        script(packing="sometimes"),
        "wrong-type",
    ),
    BadJob(
        "learning-rate-word",
        "`learning_rate: fast`",
        sft(learning_rate="fast"),
        script(learning_rate="fast"),
        "wrong-type",
    ),
    BadJob(
        "learning-rate-text",
        "`learning_rate: 2e-5`, which YAML reads as text",
        sft(learning_rate="2e-5"),
        script(learning_rate="2e-5"),
        stage=Stage.MEANT,
        proof='"learning_rate": 2e-05',
        remark="AlignTune reads it as the number it is.",
    ),
    BadJob(
        "learning-rate-negative",
        "`learning_rate: -0.001`",
        sft(learning_rate=-1e-3),
        script(learning_rate=-1e-3),
        "out-of-range",
    ),
    BadJob(
        "learning-rate-zero",
        "`learning_rate: 0`, so that nothing is learned",
        sft(learning_rate=0),
        script(learning_rate=0),
        "out-of-range",
    ),
    BadJob(
        "batch-size-negative",
        "`batch_size: -4`",
        sft(batch_size=-4),
        script(per_device_train_batch_size=-4),
        "out-of-range",
    ),
    BadJob(
        "no-steps",
        "`max_steps: 0`",
        sft(max_steps=0),
        script(max_steps=0),
        "out-of-range",
        remark="TRL takes one step all the same.",
    ),
    BadJob(
        "unknown-optimiser",
        "an engine setting has a value that there is not: `optim: adamw_troch`",
        sft(backend_args={"optim": "adamw_troch"}),
        script(optim="adamw_troch"),
        "not-a-choice",
    ),
    BadJob(
        "tracker-not-installed",
        "`report_to: wandb` where it is not installed",
        sft(report_to="wandb"),
        script(report_to="wandb"),
        "not-installed",
    ),
)


def _append(file, line):
    file.write_text(file.read_text(encoding="utf-8") + line, encoding="utf-8")
