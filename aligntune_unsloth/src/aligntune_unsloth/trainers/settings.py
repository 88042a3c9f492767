"""The configuration of a trainer that Unsloth has rewritten: every field is said, and read back."""

from __future__ import annotations

from dataclasses import MISSING, fields
from enum import Enum
from typing import TYPE_CHECKING, Any

from aligntune_core import JobError, Problem
from aligntune_trl.trainers.engine_config import configured
from aligntune_unsloth.process import require_rewritten

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ITS_OWN: Mapping[str, Any] = {
    # Unsloth would start as many processes as there are cores
    "dataset_num_proc": 1,
    # activations are recomputed by Unsloth's own way, which has no such settings
    "gradient_checkpointing_kwargs": None,
}
"""What is set too, and is Unsloth's own matter from there on."""
_ADDED: Mapping[str, Any] = {
    "vllm_sampling_params": None,
    "unsloth_num_chunks": -1,
    "unsloth_logit_chunk_multiplier": None,
    "unsloth_grpo_mini_batch": None,
    "context_parallel_size": 1,
}
"""The fields that Unsloth adds, as they are where nobody asks for anything."""


def rewritten_configuration(kind: type, arguments: Mapping[str, Any], room: int) -> Any:
    """The configuration, with TRL's own defaults in place of Unsloth's.

    Args:
        kind: The class that Unsloth put in place of TRL's.
        arguments: What the job comes to, by TRL's names.
        room: Tokens that the longest sequence may have.

    Raises:
        BackendError: If the class is TRL's own after all.
        JobError: If a setting is refused, or is another one when it is read back.
    """
    require_rewritten(kind)
    plain = original(kind)
    names = {field.name for field in fields(plain) if field.init}
    # padded batches, as TRL's own: Unsloth would choose by the GPU
    wanted = {**arguments, **({"padding_free": False} if "padding_free" in names else {})}
    # what an engine of this release makes of the same words
    expected = configured(plain, dict(wanted))
    own = {name: value for name, value in _ITS_OWN.items() if name in names}
    taken = {field.name for field in fields(kind) if field.init} - names
    added = {name: value for name, value in _ADDED.items() if name in taken}
    if "max_seq_length" in taken:
        added["max_seq_length"] = room
    config = configured(kind, {**_defaults(plain), **wanted, **own, **added})
    require_same(expected, config, names - set(own))
    return config


def original(kind: type) -> type:
    """TRL's own class behind one that Unsloth has rewritten.

    Args:
        kind: The class in its place.
    """
    return next(each for each in kind.__mro__ if "_unsloth_patched_rl_config" not in vars(each) and _is_trl(each))


def require_same(expected: Any, found: Any, names: Iterable[str]) -> None:
    """Refuse a configuration in which a field is another one than TRL itself would make of the job.

    Args:
        expected: TRL's own configuration of the same settings.
        found: Unsloth's.
        names: The fields.

    Raises:
        JobError: With every field that differs.
    """
    problems = []
    for name in sorted(names):
        wanted, got = _plain(getattr(expected, name, None)), _plain(getattr(found, name, None))
        if wanted != got:
            message = f"unsloth takes {name}={got!r}, where the job comes to {wanted!r}."
            fix = "Leave the setting out, or use backend='trl'."
            problems.append(Problem("engine-refused", message, fix, f"backend_args.{name}"))
    if problems:
        raise JobError(problems)


def _defaults(plain: type) -> dict[str, Any]:
    """TRL's own defaults: Unsloth has others of its own for a dozen of them."""
    defaults = {}
    for field in fields(plain):
        if field.init:
            value = field.default_factory() if field.default_factory is not MISSING else field.default
            if value is not MISSING:
                defaults[field.name] = value
    return defaults


def _is_trl(kind: type) -> bool:
    return kind.__module__.startswith("trl.") and not kind.__name__.startswith("Unsloth")


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "to_dict"):
        return value.to_dict()
    return [] if value in ("none", ["none"]) else value
