"""From a job to a trainer: the one place where the engine is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aligntune_core import DataError, Encoded, Encoding, Notice
from aligntune_core.data import prepare_job
from aligntune_core.kit.loading import load_config, load_model, load_tokenizer
from aligntune_core.kit.model_places import without_weights
from aligntune_core.kit.quiet import quiet_engine
from aligntune_core.kit.starting_model import starting_model
from aligntune_minimal.capabilities import DATASETS
from aligntune_minimal.encoding import Example, encode, encode_row
from aligntune_minimal.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aligntune_core import Job, Listener
    from aligntune_core.data import Prepared
    from aligntune_minimal.trainer import MinimalTrainer


def build_trainer(job: Job, emit: Listener) -> MinimalTrainer:
    """Load what a job names and hand it to the engine.

    Args:
        job: A job that passed every check.
        emit: Where events go.

    Raises:
        DataError: If the dataset can't be used.
        ModelError: If the model can't be loaded.
    """
    train, evaluation = prepare_job(job, DATASETS[job.algorithm], emit)
    import torch

    from aligntune_minimal.engine import Loop
    from aligntune_minimal.trainer import MinimalTrainer

    settings = Settings.of(job)
    place, trusted = starting_model(job.model_name, emit), job.trust_remote_code
    tokenizer = load_tokenizer(place, job.model_name, trust_remote_code=trusted)
    torch.manual_seed(settings.seed)
    with quiet_engine():
        model = load_model(place, job.model_name, trust_remote_code=trusted, dtype=torch.float32)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    examples = _encoded(train, tokenizer, settings, emit)
    eval_examples = _encoded(evaluation, tokenizer, settings, emit) if evaluation else []
    return MinimalTrainer(job, Loop(model, examples, settings), tokenizer, eval_examples, emit)


def encoding_of(job: Job) -> Encoding:
    """How a job's rows become tokens; loads the tokenizer and no weights.

    Args:
        job: A job that this backend trains.

    Raises:
        ModelError: If the tokenizer can't be loaded.
    """
    settings = Settings.of(job)
    place, where = without_weights(job.model_name)
    trusted = job.trust_remote_code
    tokenizer = load_tokenizer(place, job.model_name, trust_remote_code=trusted, **where)
    config = load_config(place, job.model_name, trust_remote_code=trusted, **where)

    def encode_whole(row: Mapping[str, Any]) -> tuple[Encoded]:
        example = encode_row(row, tokenizer, None)
        return (Encoded(example.tokens, tuple(map(int, example.trained))),)

    return Encoding(
        encode=encode_whole,
        decode=tokenizer.decode,
        limit=settings.max_seq_length,
        limit_key="max_seq_length",
        context=getattr(config, "max_position_embeddings", None),
        end_ids=frozenset({tokenizer.eos_token_id}),
    )


def _encoded(data: Prepared, tokenizer: Any, settings: Settings, emit: Listener) -> list[Example]:
    examples, left_out = encode(data.rows, tokenizer, settings.max_seq_length)
    if not examples:
        raise DataError(
            f"nothing of the answers in the {data.report.name} is left within {settings.max_seq_length} tokens.",
            fix="Raise max_seq_length.",
        )
    if left_out:
        what = f"{left_out} of {left_out + len(examples)} rows of the {data.report.name}"
        emit(Notice(f"{what} are left out: their answers begin after max_seq_length.", warning=True))
    return examples
