"""All the commands as one program."""

from __future__ import annotations

from typing import Annotated

import typer

from aligntune_core.cli.commands.backends import backends
from aligntune_core.cli.commands.capabilities import capabilities
from aligntune_core.cli.commands.check import check
from aligntune_core.cli.commands.doctor import doctor
from aligntune_core.cli.commands.env import env
from aligntune_core.cli.commands.plugin import plugin
from aligntune_core.cli.commands.quickstart import quickstart
from aligntune_core.cli.commands.schema import schema
from aligntune_core.cli.commands.train import train

# plain text: the formatted help of typer needs rich, which takes longer to import than most commands to run
app = typer.Typer(
    name="aligntune",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"aligntune {version('aligntune-core')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
    # taken from the words before they are read here, wherever it stands: it is here to be shown
    plugin: Annotated[
        list[str] | None,
        typer.Option(
            "--plugin",
            metavar="NAME",
            help="Try a plugin that is not installed: a module or a .py file. It may stand after the command too.",
        ),
    ] = None,
) -> None:
    """Post-train language models through one contract, on the engine you name."""


for _command in (train, check, capabilities, backends, doctor, schema, quickstart):
    app.command()(_command)
app.add_typer(env, name="env")
app.add_typer(plugin, name="plugin")
