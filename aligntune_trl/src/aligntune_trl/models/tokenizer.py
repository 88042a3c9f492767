"""The starting model's tokenizer, as the job's settings have it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core import JobError, Problem
from aligntune_core.kit import loading

if TYPE_CHECKING:
    from aligntune_core import Job, Listener

_TEMPLATE = "backend_args.chat_template_path"
_FILES = (".jinja", ".j2")


def load_tokenizer(path: str, job: Job, emit: Listener, **where: str) -> Any:
    """The model's tokenizer, with a chat template and an end token.

    Args:
        path: The starting model as transformers loads it.
        job: The job.
        emit: Where events go.
        where: What transformers needs to find it besides.

    Raises:
        ModelError: If it can't be loaded, or has no end token.
        JobError: If ``backend_args`` name a token that it doesn't have, or a template that is not there.
    """
    tokenizer = loading.load_tokenizer(path, job.model_name, trust_remote_code=job.trust_remote_code, **where)
    _take_named_tokens(tokenizer, job)
    if not template_model(job):
        loading.ensure_chat_template(tokenizer, job.model_name, emit)
    return tokenizer


def as_engine_reads(tokenizer: Any, job: Job) -> Any:
    """The tokenizer by which the engine makes tokens: with another model's template and tokens where the job names one.

    The engine gives these to its own tokenizer, and trains the rows of the tokens that are new to it: so it is handed
    the tokenizer without them, and this is a copy.

    Args:
        tokenizer: The model's tokenizer.
        job: The job.

    Raises:
        JobError: If the other model has no chat template or no end token.
        ModelError: If its tokenizer can't be loaded.
    """
    other = template_model(job)
    if other is None:
        return tokenizer
    from transformers import AutoTokenizer

    with loading.loading(other, "tokenizer"):
        source = AutoTokenizer.from_pretrained(other)
    for what, value in (("chat template", source.chat_template), ("end-of-text token", source.eos_token)):
        if value is None:
            message = f"'{_TEMPLATE}' is '{other}', whose tokenizer has no {what}."
            raise JobError([Problem("model", message, "Name a .jinja file, or a model that has one.", _TEMPLATE)])
    tokenizer = copy.deepcopy(tokenizer)
    known = tokenizer.get_vocab()
    tokenizer.add_tokens([token for token in source.added_tokens_decoder.values() if token.content not in known])
    tokenizer.chat_template, tokenizer.eos_token = source.get_chat_template(), source.eos_token
    return tokenizer


def template_model(job: Job) -> str | None:
    """The model whose chat template the job names; None where it names none, or a template's file.

    Args:
        job: The job.
    """
    named = job.backend_args.get("chat_template_path")
    return named if isinstance(named, str) and not named.endswith(_FILES) else None


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
    template, key = job.backend_args.get("chat_template_path"), _TEMPLATE
    if isinstance(template, str) and template.endswith(_FILES):
        try:
            tokenizer.chat_template = Path(template).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            problems.append(Problem("model", f"'{key}' can't be read: {error}.", "Check the path.", key))
    elif isinstance(template, str) and template.startswith(("/", ".", "~")) and not Path(template).is_dir():
        message = f"'{key}' is '{template}', which is no folder."
        problems.append(Problem("model", message, "Name a .jinja file, a model's folder or one on the hub.", key))
    if problems:
        raise JobError(problems)
