"""The starting model's tokenizer, as the job's settings have it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntune_core import JobError, Problem
from aligntune_core.kit import loading

if TYPE_CHECKING:
    from aligntune_core import Job, Listener


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
    loading.ensure_chat_template(tokenizer, job.model_name, emit)
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
