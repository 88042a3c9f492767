"""Whether what a backend returned is a trainer, told from its members; none of its properties is evaluated."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from aligntune_core.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUES = ("model", "tokenizer", "native")
CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "train": ((), {}),
    "evaluate": ((), {}),
    "save": ((None,), {"merge": False}),
}
"""The methods of a trainer, and the arguments that they are called with."""
_ABSENT = object()


def require_trainer(backend: str, returned: object) -> None:
    """Refuse what is no trainer, with all that it lacks.

    Args:
        backend: The name of the backend that returned it.
        returned: What it returned.

    Raises:
        BackendError: If a member is missing, or is not called as the contract has it.
    """
    what = f"the class {returned.__name__} itself" if isinstance(returned, type) else type(returned).__name__
    faults = list(_faults(returned))
    if faults:
        told = "" if isinstance(returned, type) or returned is None else f": {'; '.join(faults)}"
        raise BackendError(
            f"backend '{backend}' returned {what}, which is not a trainer{told}.",
            fix="Report it to the backend's authors.",
        )


def _faults(trainer: object) -> Iterator[str]:
    found = {name: inspect.getattr_static(trainer, name, _ABSENT) for name in (*VALUES, *CALLS)}
    missing = [name for name, member in found.items() if member is _ABSENT]
    # what looks its members up when they are asked for has to be asked, and is so in the run
    if missing and inspect.getattr_static(type(trainer), "__getattr__", _ABSENT) is _ABSENT:
        yield f"it has no {', '.join(missing)}"
    for name, (arguments, keywords) in CALLS.items():
        member = found[name]
        if member is _ABSENT:
            continue
        if not callable(member) and not hasattr(type(member), "__get__"):
            yield f"its {name} can't be called, it is of type {type(member).__name__}"
        elif (callable(member) or isinstance(member, classmethod)) and not _takes(
            getattr(trainer, name), arguments, keywords
        ):
            words = ", ".join(["path"] * len(arguments) + [f"{key}=..." for key in keywords])
            yield f"its {name} can't be called as {name}({words})"


def _takes(method: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> bool:
    try:
        signature = inspect.signature(method)
    except (TypeError, ValueError):  # compiled code need not say
        return callable(method)
    try:
        signature.bind(*arguments, **keywords)
    except TypeError:
        return False
    return True
