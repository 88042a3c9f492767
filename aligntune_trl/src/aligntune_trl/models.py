"""The starting model and its tokenizer, by whatever name the job gives them."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core import Listener, ModelError, Notice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core import Job

PLAIN_CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ message['role'] | capitalize }}: {{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
"""The chat template given to a tokenizer that has none: named turns, a line each, answers closed by the end token."""


def model_path(name: str) -> str:
    """The name as transformers takes it: a path for what is built in, the name itself for anything else."""
    if name.startswith("builtin:"):
        from aligntune_core.models.tiny import materialise

        return str(materialise(name))
    return str(Path(name).expanduser()) if name.startswith("~") else name


def is_gguf(name: str) -> bool:
    """Whether a model's name is that of a .gguf file."""
    return name.lower().endswith(".gguf")


def load_tokenizer(job: Job, emit: Listener) -> Any:
    """The model's tokenizer, with a chat template and tokens for the end and for padding.

    Raises:
        ModelError: If it can't be loaded, or has no end token.
    """
    from transformers import AutoTokenizer

    with loading(job.model_name):
        if is_gguf(job.model_name):
            file = Path(job.model_name).expanduser()
            tokenizer = AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name)
        else:
            tokenizer = AutoTokenizer.from_pretrained(
                model_path(job.model_name), trust_remote_code=job.trust_remote_code
            )
    if tokenizer.eos_token is None:
        raise ModelError(
            f"the tokenizer of '{job.model_name}' has no end-of-text token, so a model could not learn to stop.",
            fix="Set eos_token in its tokenizer_config.json.",
        )
    if tokenizer.chat_template is None:
        tokenizer.chat_template = PLAIN_CHAT_TEMPLATE
        emit(
            Notice(
                f"the tokenizer of '{job.model_name}' has no chat template: turns are written as 'User: ...' and "
                "'Assistant: ...' lines, and that template is saved with the model."
            )
        )
    return tokenizer


def load_model(job: Job, emit: Listener) -> Any:
    """The starting model as TRL's trainers take it.

    Returns:
        A hub id or folder, which TRL loads itself, or a model where it could not: from a .gguf file, or from a
        folder that holds an adapter, which is merged into its base.

    Raises:
        ModelError: If the model can't be loaded.
    """
    if is_gguf(job.model_name):
        with loading(job.model_name):
            return _load_gguf(Path(job.model_name).expanduser())
    path = model_path(job.model_name)
    if (Path(path) / "adapter_config.json").exists() and not (Path(path) / "config.json").exists():
        emit(Notice(f"'{job.model_name}' holds an adapter: it is merged into its base model before training."))
        with loading(job.model_name):
            return _load_merged(path, trust_remote_code=job.trust_remote_code)
    return path


def _load_gguf(file: Path) -> Any:
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    model = AutoModelForCausalLM.from_pretrained(
        str(file.parent),
        gguf_file=file.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.float32,
    )
    # the weights are plain now; left in place, the note that they were quantised would keep the model from being saved
    for owner, name in ((model.config, "quantization_config"), (model, "hf_quantizer")):
        if hasattr(owner, name):
            delattr(owner, name)
    return model


def _load_merged(path: str, *, trust_remote_code: bool) -> Any:
    import torch
    from peft import AutoPeftModelForCausalLM

    model = AutoPeftModelForCausalLM.from_pretrained(path, dtype=torch.float32, trust_remote_code=trust_remote_code)
    return model.merge_and_unload()


@contextmanager
def loading(name: str) -> Iterator[None]:
    """Turn what transformers raises while it loads a model into a ModelError that names the model.

    Args:
        name: The model, as the job names it.
    """
    try:
        yield
    except ModelError:
        raise
    except ImportError as error:
        raise ModelError(f"the model '{name}' can't be loaded: {_first_line(error)}") from error
    except Exception as error:
        lines = _first_line(error)
        fix = ""
        if isinstance(error, OSError) and not Path(name).expanduser().exists():
            fix = "Check the name and the connection to the hub, or name a local folder."
        raise ModelError(f"the model '{name}' can't be loaded: {lines}", fix=fix) from error


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]
