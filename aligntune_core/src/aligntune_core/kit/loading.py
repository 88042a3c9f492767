"""A model, its configuration and its tokenizer, and what transformers says of one that it can't load."""

from __future__ import annotations

import re
from contextlib import contextmanager
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import ModelError
from aligntune_core.events import Notice
from aligntune_core.machine.importing import large_import
from aligntune_core.models.source import model_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core.events import Listener

PLAIN_CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ message['role'] | capitalize }}: {{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
"""The chat template given to a tokenizer that has none: named turns, a line each, answers closed by the end token."""

_HEADS = (
    *("ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering", "ForMultipleChoice"),
    *("ForMaskedLM", "ForPreTraining", "RewardModel"),
)
"""How the names of models end that transformers makes for something else than writing on."""


def load_config(path: str, name: str, *, trust_remote_code: bool, **where: str) -> Any:
    """The model's configuration.

    Args:
        path: The starting model as transformers loads it.
        name: The model, as the job names it.
        trust_remote_code: Whether code that comes with the model may be run.
        where: What transformers needs to find it besides.

    Raises:
        ModelError: If it can't be loaded.
    """
    # it imports the modules of the model's kind, and torch with them
    with loading(name), large_import():
        from transformers import AutoConfig

        return AutoConfig.from_pretrained(path, trust_remote_code=trust_remote_code, **where)


def load_model(path: str, name: str, *, trust_remote_code: bool, **settings: Any) -> Any:
    """A causal language model with its weights.

    Args:
        path: The starting model as transformers loads it.
        name: The model, as the job names it.
        trust_remote_code: Whether code that comes with the model may be run.
        settings: What transformers takes besides, e.g. ``dtype``.

    Raises:
        ModelError: If it can't be loaded.
    """
    with loading(name):
        with large_import():
            from transformers import AutoModelForCausalLM

        return AutoModelForCausalLM.from_pretrained(path, trust_remote_code=trust_remote_code, **settings)


def require_text(name: str, config: Any) -> None:
    """Refuse a model that writes no text, such as a reward model.

    Args:
        name: The model, as the job names it.
        config: Its configuration, as transformers loads it.

    Raises:
        ModelError: If its head is made for something else.
    """
    kinds = [kind for kind in config.architectures or () if kind.endswith(_HEADS)]
    if kinds:
        raise ModelError(
            f"the model '{name}' writes no text: it is a {kinds[0]}.",
            fix="Name a causal language model; one that scores answers is a reward_model_name.",
        )


def load_tokenizer(path: str, name: str, *, trust_remote_code: bool, **where: str) -> Any:
    """A model's tokenizer, which has an end token.

    Args:
        path: The starting model as transformers loads it.
        name: The model, as the job names it.
        trust_remote_code: Whether code that comes with the model may be run.
        where: What transformers needs to find it besides.

    Raises:
        ModelError: If it can't be loaded, or has no end token.
    """
    with loading(name, "tokenizer"):
        with large_import():
            from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=trust_remote_code, **where)
    if tokenizer.eos_token is None:
        raise ModelError(
            f"the tokenizer of '{name}' has no end-of-text token, so a model could not learn to stop.",
            fix="Set eos_token in its tokenizer_config.json.",
        )
    return tokenizer


def ensure_chat_template(tokenizer: Any, name: str, emit: Listener) -> None:
    """Give a tokenizer without a chat template a plain one, and say so.

    Args:
        tokenizer: The tokenizer.
        name: The model, as the job names it.
        emit: Where it is said.
    """
    if tokenizer.chat_template is None:
        tokenizer.chat_template = PLAIN_CHAT_TEMPLATE
        emit(
            Notice(
                f"the tokenizer of '{name}' has no chat template: turns are written as 'User: ...' and "
                "'Assistant: ...' lines, and that template is saved with the model."
            )
        )


@contextmanager
def loading(name: str, part: str = "") -> Iterator[None]:
    """Turn what transformers raises while it loads a model into a ModelError that names the model.

    Args:
        name: The model, as the job names it.
        part: What of it is loaded, if not the whole.
    """
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        what = f"the {part} of '{name}'" if part else f"the model '{name}'"
        raise ModelError(f"{what} can't be loaded: {_cause(error)}", fix=_fix(error, name, part)) from error


@contextmanager
def loading_weights(name: str) -> Iterator[None]:
    """Turn what is raised for a model's missing or damaged files into a ModelError; anything else passes.

    Args:
        name: The model, as the job names it.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"the weights of '{name}' can't be loaded: {_cause(error)}", fix=_fix(error, name, "weights")
        ) from error


def _fix(error: Exception, name: str, part: str) -> str:
    if isinstance(error, ImportError):
        return "Install the package that it names."
    if "does not recognize this architecture" in str(error):
        return "Install a release of transformers that knows it: pip install --upgrade transformers."
    if "model_type" in str(error):
        return "Check that its config.json has a model_type."
    if not model_source(name).is_there:
        return "Check the name and the connection to the hub, or name a local folder."
    if part == "tokenizer":
        return "Put the tokenizer's files (tokenizer.json, tokenizer_config.json) next to the weights, whole."
    return "Copy or download it again: a file of it is missing, damaged or not a model's."


def _cause(error: Exception) -> str:
    """The first sentence of what an exception says, on one line and whole."""
    if isinstance(error, JSONDecodeError):
        return f"a file of it is not valid JSON ({error})."
    text = " ".join((str(error).strip() or type(error).__name__).split("\n\n")[0].split())
    sentence = re.split(r"(?<=[.!?])\s+(?=[A-Z])", text, maxsplit=1)[0]
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
