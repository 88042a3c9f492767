"""The folder a job is run in: a good model, good data, and what spoils them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from badjobs.row import BadJob, Write

DATA = "data/rows.jsonl"
ROWS = 32
LONG = " ".join(["seven"] * 300)
"""A text of 1199 tokens."""


def good_folder(row: BadJob, model: Path, folder: Path) -> None:
    """Write what every job finds in its folder, then what is wrong in this one.

    Args:
        row: The job.
        model: The folder of ``builtin:tiny``.
        folder: The job's own folder, where nothing is yet but what an earlier run left.
    """
    shutil.copytree(model, folder / "model")
    text("reward.py", GOOD_REWARD)(folder)
    rows(good_rows(row.kind))(folder)
    if isinstance(row.job, bytes):
        (folder / "job.yaml").write_bytes(row.job)
    else:
        # JSON is YAML, and holds a text that looks like a number as what it is
        text("job.yaml", "".join(f"{key}: {json.dumps(value)}\n" for key, value in row.job.items()))(folder)
    for write in row.files:
        write(folder)


GOOD_REWARD = """\
def reward(completions, **_):
    return [float(len(str(completion)) % 7) for completion in completions]
"""


def good_rows(kind: str) -> list[dict[str, Any]]:
    """Rows in TRL's own formats, so that both sides read the same file."""
    from aligntune_core.data.builtin import builtin_rows

    if kind in {"dpo", "reward"}:
        found = builtin_rows("builtin:preferences")
        return [
            {
                "prompt": said("user", row["prompt"]),
                "chosen": said("assistant", row["chosen"]),
                "rejected": said("assistant", row["rejected"]),
            }
            for row in found[:ROWS]
        ]
    if kind == "sft":
        found = [row for row in builtin_rows("builtin:instructions") if row["output"]]
        return [
            {
                "prompt": said("user", f"{row['instruction']} {row['input']}".strip()),
                "completion": said("assistant", row["output"]),
            }
            for row in found[:ROWS]
        ]
    return [{"prompt": said("user", row["question"])} for row in builtin_rows("builtin:arithmetic")[:ROWS]]


def said(role: str, content: str) -> list[dict[str, str]]:
    """A conversation of one turn."""
    return [{"role": role, "content": content}]


def rows(given: Iterable[Mapping[str, Any]]) -> Write:
    """The dataset holds these rows."""
    return text(DATA, "".join(json.dumps(row) + "\n" for row in given))


def changed(kind: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Write:
    """Every row of the good data is changed."""

    def write(folder: Path) -> None:
        rows(change(row) for row in good_rows(kind))(folder)

    return write


def text(name: str, content: str | bytes) -> Write:
    """A file holds this."""

    def write(folder: Path) -> None:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    return write


def removed(*patterns: str) -> Write:
    """Files are not there."""

    def write(folder: Path) -> None:
        for pattern in patterns:
            for file in folder.glob(pattern):
                file.unlink()

    return write


def cut_short(name: str) -> Write:
    """A file ends after its first half."""

    def write(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return write


def settings(name: str, **changes: Any) -> Write:
    """Keys of a JSON file have other values; None removes one."""

    def write(folder: Path) -> None:
        found = {**json.loads((folder / name).read_bytes()), **changes}
        text(name, json.dumps({key: value for key, value in found.items() if value is not None}))(folder)

    return write


def classifier(labels: int) -> Write:
    """A model with this many labels lies in ``reward-model``."""

    def write(folder: Path) -> None:
        import torch
        from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        torch.manual_seed(0)
        config = AutoConfig.from_pretrained(folder / "model", num_labels=labels)
        AutoModelForSequenceClassification.from_config(config).save_pretrained(folder / "reward-model")
        AutoTokenizer.from_pretrained(folder / "model").save_pretrained(folder / "reward-model")

    return write


def weights_not_finite(folder: Path) -> None:
    """One weight of the model is NaN."""
    import torch
    from safetensors.torch import load_file, save_file

    file = folder / "model" / "model.safetensors"
    weights = load_file(file)
    name = next(name for name in weights if name.endswith("q_proj.weight"))
    weights[name][0, 0] = torch.nan
    save_file(weights, file, metadata={"format": "pt"})
