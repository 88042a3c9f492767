"""The starting model's configuration and its tokenizer, and what transformers says of a model it can't load."""

from __future__ import annotations

import re
from contextlib import contextmanager
from json import JSONDecodeError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core import JobError, ModelError, Notice, Problem
from aligntune_core.machine.importing import large_import
from aligntune_core.models.source import model_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aligntune_core import Job, Listener

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


def load_tokenizer(name: str, job: Job, emit: Listener, **where: str) -> Any:
    """The model's tokenizer, with a chat template and an end token.

    Args:
        name: The starting model as transformers loads it.
        job: The job.
        emit: Where events go.
        where: What transformers needs to find it besides.

    Raises:
        ModelError: If it can't be loaded, or has no end token.
        JobError: If ``backend_args`` name a token that it doesn't have, or a template that is not there.
    """
    from transformers import AutoTokenizer

    with loading(job.model_name, "tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=job.trust_remote_code, **where)
    if tokenizer.eos_token is None:
        raise ModelError(
            f"the tokenizer of '{job.model_name}' has no end-of-text token, so a model could not learn to stop.",
            fix="Set eos_token in its tokenizer_config.json.",
        )
    _take_named_tokens(tokenizer, job)
    if tokenizer.chat_template is None:
        tokenizer.chat_template = PLAIN_CHAT_TEMPLATE
        emit(
            Notice(
                f"the tokenizer of '{job.model_name}' has no chat template: turns are written as 'User: ...' and "
                "'Assistant: ...' lines, and that template is saved with the model."
            )
        )
    return tokenizer


def _take_named_tokens(tokenizer: Any, job: Job) -> None:
    """Give the tokenizer the special tokens and the template that the job names, as the engine will."""
    problems = []
    known = tokenizer.get_vocab() if {"eos_token", "pad_token"} & set(job.backend_args) else {}
    for name in ("eos_token", "pad_token"):
        token, key = job.backend_args.get(name), f"backend_args.{name}"
        if token is None:
            continue
        if token in known:
            setattr(tokenizer, name, token)
        else:
            message = f"'{key}' is '{token}', which is no token of '{job.model_name}'."
            problems.append(Problem("model", message, "Name one of its tokens, or leave it out.", key))
    template, key = job.backend_args.get("chat_template_path"), "backend_args.chat_template_path"
    if isinstance(template, str) and template.endswith((".jinja", ".j2")):
        try:
            tokenizer.chat_template = Path(template).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            problems.append(Problem("model", f"'{key}' can't be read: {error}.", "Check the path.", key))
    elif isinstance(template, str) and template.startswith(("/", ".", "~")) and not Path(template).is_dir():
        message = f"'{key}' is '{template}', which is no folder."
        problems.append(Problem("model", message, "Name a .jinja file, a model's folder or one on the hub.", key))
    if problems:
        raise JobError(problems)


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
