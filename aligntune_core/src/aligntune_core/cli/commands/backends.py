"""``aligntune backends``: how each backend stands here."""

from __future__ import annotations

from aligntune_core.cli.options import AsJson  # noqa: TC001 typer reads it


def backends(as_json: AsJson = False) -> None:
    """List the backends and whether they can be used.

    Each that can't says why, and what would make it usable.
    """
    from aligntune_core.cli.screens.backends import show

    show(json=as_json)
