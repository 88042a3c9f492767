"""Everything known of a job before it trains: the decision, its data as the engine will see it, two steps of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aligntune_core.check.ask import check_job

__all__ = ["check_job"]


def __getattr__(name: str) -> Any:
    # a query needs none of it
    if name in __all__:
        from aligntune_core.check import ask

        return getattr(ask, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
