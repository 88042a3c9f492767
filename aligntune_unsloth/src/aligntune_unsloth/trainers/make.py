"""From a job to a trainer: the one place where Unsloth is imported."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from aligntune_core import Notice
from aligntune_unsloth.process import import_unsloth, printing_to_stderr
from aligntune_unsloth.trainers.trainer import UnslothTrainer

if TYPE_CHECKING:
    from pathlib import Path

    from aligntune_core import Job, Listener


def build_trainer(job: Job, emit: Listener) -> UnslothTrainer:
    """Load what a job names by Unsloth and hand it to TRL's trainers as Unsloth has rewritten them.

    Args:
        job: A job that passed every check.
        emit: Where events go.

    Raises:
        BackendError: If there is no GPU, or Unsloth can't be imported or loads another model.
        JobError: If the engine refuses a setting or changes it.
        DataError: If the dataset can't be used.
        ModelError: If the model can't be loaded.
        RewardError: If a reward function doesn't do what it should.
        CheckpointError: If the job resumes and there is no whole checkpoint.
    """
    compiled = import_unsloth(job.output_dir)
    from aligntune_trl.trainers.make import build_trainer as build_with
    from aligntune_unsloth.trainers.engine import UnslothEngine

    for text in _what_is_told(job, compiled):
        emit(Notice(text))
    with printing_to_stderr():
        return UnslothTrainer(build_with(job, emit, UnslothEngine()))


def _what_is_told(job: Job, compiled: Path) -> list[str]:
    rewritten = (
        f"unsloth {version('unsloth')} has rewritten classes of torch, transformers, peft and TRL for the rest of this "
        f"process, and writes its trainers to {compiled}. Parts of it are under the AGPL-3.0."
    )
    said = [rewritten]
    if not job.use_peft:
        said.append("all weights are held in float32 and computed with in bf16.")
    if job.algorithm == "grpo" and job.beta != 0:
        how = "the model without its adapter" if job.use_peft else "a second copy of the model"
        said.append(f"the reference model is {how}; unsloth bounds the KL divergence of a token to 10 nats.")
    return said
