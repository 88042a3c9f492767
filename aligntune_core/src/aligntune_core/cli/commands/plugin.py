"""``aligntune plugin``: what the authors of backends need."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

plugin = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What the authors of backends need.")

BackendName = Annotated[str, typer.Argument(metavar="NAME", help="The backend, whose distribution is installed.")]
File = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="The file; standard output if left out.")
]
OnlyCheck = Annotated[
    bool, typer.Option("--check", help="Write nothing: exit with 1 if what is recorded is not what the plugin says.")
]


@plugin.callback()
def options() -> None:
    """What the authors of backends need."""


@plugin.command()
def export(name: BackendName, *, output: File = None, check: OnlyCheck = False) -> None:
    """Write what a plugin says of its backend as the JSON file that its distribution ships.

    Queries read that file and import nothing. With --check, FILE is compared; without FILE, the one that is installed.
    """
    from aligntune_core.cli.screens.record import compare, write

    if check:
        raise typer.Exit(compare(name, output))
    write(name, output)
