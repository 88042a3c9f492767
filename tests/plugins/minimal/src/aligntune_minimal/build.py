"""From a job to a trainer: the one place where the engine is imported."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core import DataError, Encoded, Encoding, ModelError, Notice
from aligntune_core.data import prepare_job
from aligntune_minimal.capabilities import DATASETS
from aligntune_minimal.encoding import Example, encode, encode_row
from aligntune_minimal.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
    from aligntune_minimal.engine import Loop
    from aligntune_minimal.trainer import MinimalTrainer

    settings = Settings.of(job)
    model, tokenizer = _load(job, settings)
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
    from transformers import AutoConfig

    settings = Settings.of(job)
    with _loading(job):
        tokenizer = _tokenizer(job)
        config = AutoConfig.from_pretrained(_path(job), trust_remote_code=job.trust_remote_code)

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


def _load(job: Job, settings: Settings) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(settings.seed)
    with _loading(job):
        tokenizer = _tokenizer(job)
        model = AutoModelForCausalLM.from_pretrained(
            _path(job), dtype=torch.float32, trust_remote_code=job.trust_remote_code
        )
    return model.to("cuda" if torch.cuda.is_available() else "cpu"), tokenizer


def _tokenizer(job: Job) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(_path(job), trust_remote_code=job.trust_remote_code)


def _path(job: Job) -> str:
    name = job.model_name
    if name.startswith("builtin:"):
        from aligntune_core.models.tiny import materialise

        return str(materialise(name))
    return str(Path(name).expanduser()) if name.startswith("~") else name


@contextmanager
def _loading(job: Job) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, ImportError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise ModelError(f"the model '{job.model_name}' can't be loaded: {lines[0]}") from error


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
