"""From a job to a trainer: the one place where the engine is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aligntune_core import DataError, Encoding, Notice
from aligntune_core.data import prepare_job
from aligntune_core.kit.loading import ensure_chat_template, load_config, load_model, load_tokenizer
from aligntune_core.kit.model_places import without_weights
from aligntune_core.kit.quiet import quiet_engine
from aligntune_core.kit.starting_model import starting_model
from aligntune_core.kit.tokens.encoders import ENCODERS
from aligntune_minimal.capabilities import DATASETS
from aligntune_minimal.encoding import Example, encode
from aligntune_minimal.settings import Settings

if TYPE_CHECKING:
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
    kind = DATASETS[job.algorithm]
    train, evaluation = prepare_job(job, kind, emit)
    import torch

    from aligntune_minimal.engine import Loop
    from aligntune_minimal.trainer import MinimalTrainer

    settings = Settings.of(job)
    place, trusted = starting_model(job.model_name, emit), job.trust_remote_code
    tokenizer = load_tokenizer(place, job.model_name, trust_remote_code=trusted)
    ensure_chat_template(tokenizer, job.model_name, emit)
    torch.manual_seed(settings.seed)
    with quiet_engine():
        model = load_model(place, job.model_name, trust_remote_code=trusted, dtype=torch.float32)
    model.to("cuda" if torch.cuda.is_available() else "cpu")

    def encoded(data: Prepared) -> list[Example]:
        examples, left_out = encode(data.rows, kind, tokenizer, settings.max_seq_length)
        _say_left_out(data, examples, left_out, settings, emit)
        return examples

    examples, eval_examples = encoded(train), encoded(evaluation) if evaluation else []
    return MinimalTrainer(job, Loop(model, examples, settings), tokenizer, eval_examples, emit)


def encoding_of(job: Job, emit: Listener) -> Encoding:
    """How a job's rows become tokens; loads the tokenizer and no weights.

    Args:
        job: A job that this backend trains.
        emit: Where it is said what was decided.

    Raises:
        ModelError: If the tokenizer can't be loaded.
    """
    settings = Settings.of(job)
    place, where = without_weights(job.model_name)
    trusted = job.trust_remote_code
    tokenizer = load_tokenizer(place, job.model_name, trust_remote_code=trusted, **where)
    ensure_chat_template(tokenizer, job.model_name, emit)
    config = load_config(place, job.model_name, trust_remote_code=trusted, **where)
    encoder = ENCODERS[DATASETS[job.algorithm]]
    return Encoding(
        encode=lambda row: encoder(tokenizer, [row])[0],
        decode=tokenizer.decode,
        limit=settings.max_seq_length,
        limit_key="max_seq_length",
        context=getattr(config, "max_position_embeddings", None),
        end_ids=frozenset({tokenizer.eos_token_id}),
    )


def _say_left_out(data: Prepared, examples: list[Example], left_out: int, settings: Settings, emit: Listener) -> None:
    if not examples:
        raise DataError(
            f"nothing of the answers in the {data.report.name} is left within {settings.max_seq_length} tokens.",
            fix="Raise max_seq_length.",
        )
    if left_out:
        what = f"{left_out} of {left_out + len(examples)} rows of the {data.report.name}"
        emit(Notice(f"{what} are left out: their answers begin after max_seq_length.", warning=True))
