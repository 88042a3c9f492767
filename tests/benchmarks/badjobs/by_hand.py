"""The same jobs as a person who knows TRL would write them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from badjobs.folders import DATA, text

if TYPE_CHECKING:
    from badjobs.row import Write

COMMON = {"output_dir": "out", "max_steps": 4, "learning_rate": 1e-3, "logging_steps": 1, "bf16": False}
QUIET = {"report_to": "none", "disable_tqdm": True}
OFFLINE = {"per_device_train_batch_size": 4, "max_length": 128}
GROUPED = {"per_device_train_batch_size": 4, "num_generations": 4, "max_completion_length": 16}
SCRIPT = """\
from datasets import load_dataset
{imports}

{before}
config = {name}Config(
{settings}
)
trainer = {name}Trainer(
    model="./model",
    args=config,
    train_dataset=dataset,
{more})
trainer.train({train})
trainer.save_model()
print("steps", trainer.state.global_step)
"""
LOAD = f'dataset = load_dataset("json", data_files="{DATA}", split="train")'
ONE_BY_ONE = f"""\
import json
from datasets import Dataset
dataset = Dataset.from_list([json.loads(line) for line in open("{DATA}")])"""


def script(
    name: str = "SFT", *, before: str = LOAD, imports: str = "", trainer: str = "", train: str = "", **config: Any
) -> str:
    """A script on one of TRL's trainers.

    Args:
        name: The trainer's name without ``Trainer``.
        before: How the dataset is loaded.
        imports: Further imports.
        trainer: Further arguments of the trainer.
        train: The arguments of ``train``.
        config: Settings that differ from those of a good job; None leaves one out. A value is written as it is, so
            that ``Code`` stands for itself.
    """
    settings = {**COMMON, **(GROUPED if name == "GRPO" else OFFLINE), **QUIET, **config}
    if name == "GRPO" and "reward_funcs" not in trainer:
        imports = f"{imports}\nfrom reward import reward"
        trainer = f"reward_funcs=[reward], {trainer}"
    written = "\n".join(f"    {key}={_source(value)}," for key, value in settings.items() if value is not None)
    more = f"    {trainer.strip().rstrip(',')},\n" if trainer else ""
    lines = f"from trl import {name}Config, {name}Trainer\n{imports.strip()}".strip()
    return SCRIPT.format(name=name, imports=lines, before=before, settings=written, more=more, train=train)


class Code(str):
    """Source that stands in a script as it is."""

    __slots__ = ()


def _source(value: object) -> str:
    if isinstance(value, Code):
        return str(value)
    return json.dumps(value) if isinstance(value, str) else repr(value)


def command_file(name: str = "trl.yaml", **changes: Any) -> Write:
    """A file for ``trl sft --config``, with settings that differ from those of a good job."""
    found = {
        "model_name_or_path": "./model",
        "dataset_name": "./data",
        **COMMON,
        **OFFLINE,
        **QUIET,
        **changes,
    }
    return text(name, "".join(f"{key}: {json.dumps(value)}\n" for key, value in found.items() if value is not None))


COMMAND = ("sft", "--config", "trl.yaml")
