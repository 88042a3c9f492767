"""What transformers' own way to resume leaves out: whose checkpoint it is, and a run that is over already."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core.kit.checkpoints.origin import write_job

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from aligntune_core.job import Job


class NothingLeftError(Exception):
    """The checkpoint holds the whole run."""


class NothingLeft:
    """Ends a run that is over before it begins: transformers would train one more step and stop after it.

    Raises:
        NothingLeftError: When the checkpoint's weights are loaded.
    """

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if state.global_step >= state.max_steps > 0:
            raise NothingLeftError


class JobInCheckpoints:
    """Writes the job into every checkpoint of it.

    Args:
        job: The job.
    """

    def __init__(self, job: Job) -> None:
        self._job = job

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if state.is_world_process_zero and checkpoint.is_dir():
            write_job(self._job, checkpoint)


def tied_names(model: Any) -> frozenset[str]:
    """The names of a model's weights that are the same tensor as another, of which a checkpoint holds one."""
    names = defaultdict(list)
    for name, weight in model.named_parameters(remove_duplicate=False):
        names[id(weight)].append(name)
    return frozenset(name for same in names.values() if len(same) > 1 for name in same)
