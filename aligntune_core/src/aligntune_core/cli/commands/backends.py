"""``aligntune backends``: how each backend stands here."""

from __future__ import annotations

from typing import Annotated

import typer

from aligntune_core.cli.options import AsJson  # noqa: TC001 typer reads it

Name = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="Only this backend, with what it takes in backend_args.", show_default=False),
]


def backends(name: Name = None, as_json: AsJson = False) -> None:
    """List the backends and whether they can be used.

    Each that can't says why, and what would make it usable. Of one that is named, its settings are listed too.
    """
    if name is None:
        from aligntune_core.cli.screens.backends import show

        show(json=as_json)
    else:
        from aligntune_core.cli.screens.settings import show as show_one

        show_one(name, json=as_json)
