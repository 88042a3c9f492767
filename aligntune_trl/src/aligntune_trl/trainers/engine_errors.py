"""What TRL and peft, or an engine laid in between, refuse while a trainer is made, told as problems of the job."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from aligntune_core import JobError, Problem
from aligntune_trl.models.adapter_layers import layer_problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from aligntune_trl.models.ingredients import Ingredients


@contextmanager
def engine_errors(made_of: Ingredients, packages: AbstractSet[str]) -> Iterator[None]:
    """Turn a ValueError that the engine itself raises into a JobError; anything else passes.

    Args:
        made_of: What the trainer is made of.
        packages: The engine's packages, such as trl and peft.
    """
    try:
        yield
    except ValueError as error:
        engine = _raised_in(error)
        if engine not in packages:
            raise
        problem = layer_problem(made_of, None) if engine == "peft" and "arget modules" in str(error) else None
        if not problem:
            key = "backend_args" if made_of.job.backend_args else ""
            told = " ".join(str(error).split())
            problem = Problem("engine-refused", f"{engine} refuses the job's settings: {told}", key=key)
        raise JobError([problem]) from error


def _raised_in(error: BaseException) -> str:
    """The package whose code raised it."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    module = trace.tb_frame.f_globals.get("__name__", "") if trace else ""
    return str(module).partition(".")[0]
