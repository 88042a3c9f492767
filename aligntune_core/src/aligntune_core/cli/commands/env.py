"""``aligntune env``: environments of their own for backends that can't share one."""

from __future__ import annotations

from typing import Annotated

import typer

from aligntune_core.cli.options import AsJson  # noqa: TC001 typer reads it

env = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Environments that backends live in.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The environment's name.")]
AnyName = Annotated[str, typer.Argument(metavar="[NAME]", help="The environment's name; all if left out.")]
From = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="REQUIREMENT",
        help="The distribution of its backend: a wheel, a folder, a URL or a name. Left out for trl and unsloth.",
    ),
]
With = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="REQUIREMENT", help="A further requirement, e.g. trl==1.15.0. May be repeated."),
]
Torch = Annotated[
    str, typer.Option("--torch", metavar="WHICH", help="cpu, cuda or a version; the build that runs here if left out.")
]
Source = Annotated[
    str,
    typer.Option(
        "--source",
        metavar="WHERE",
        help="Where AlignTune's own distributions are: a folder of wheels, a checkout or the URL of a package index.",
    ),
]
Python = Annotated[str, typer.Option("--python", metavar="PATH", help="The interpreter; the running one if left out.")]
ThePython = Annotated[str, typer.Option("--python", metavar="PATH", help="The interpreter.")]
Installer = Annotated[str, typer.Option("--installer", metavar="NAME", help="uv or pip; uv where there is one.")]
Lock = Annotated[
    str, typer.Option("--lock", metavar="FILE", help="Install exactly what a lock file has, as `env list` names them.")
]
System = Annotated[
    bool, typer.Option("--system-site-packages", help="Let it see what is installed beside the interpreter.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would hold.")]
Paths = Annotated[
    list[str] | None,
    typer.Option("--path", metavar="FOLDER", help="A folder that it imports from besides its own. May be repeated."),
]


@env.callback()
def options() -> None:
    """Environments that backends live in.

    Engines exclude each other's versions, so a backend may live in an environment of its own. Queries answer for it
    from what was recorded. Environments are under the user's data folder, or where ALIGNTUNE_ENVIRONMENTS says.
    """


@env.command()
def create(
    name: Name,
    *,
    from_: From = "",
    with_: With = None,
    torch: Torch = "",
    source: Source = "",
    python: Python = "",
    installer: Installer = "",
    lock: Lock = "",
    system: System = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make an environment for a backend.

    `aligntune env create unsloth` takes what that backend was tested with. AlignTune's own distributions
    come from where the running ones came from.
    """
    from aligntune_core.cli.screens.environments import create as make
    from aligntune_core.provisioning.request import Request

    request = Request(name, from_, tuple(with_ or ()), torch, source, python, installer, lock, system)
    make(request, dry_run=dry_run, json=as_json)


@env.command()
def add(name: Name, *, python: ThePython, path: Paths = None, as_json: AsJson = False) -> None:
    """Adopt an interpreter that exists; it is looked at, recorded and never changed."""
    from aligntune_core.cli.screens.environments import add as adopt

    adopt(name, python, path or [], json=as_json)


@env.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the environments, and the backends that live in each."""
    from aligntune_core.cli.screens.environments import show

    show(json=as_json)


@env.command()
def check(name: AnyName = "", as_json: AsJson = False) -> None:
    """Look at environments again: what is not as it was recorded, and how to mend it.

    Exits with 1 where a backend can't be used.
    """
    from aligntune_core.cli.screens.environments import check as look

    raise typer.Exit(look(name, json=as_json))


@env.command()
def update(
    name: Name,
    *,
    with_: With = None,
    torch: Torch = "",
    source: Source = "",
    python: Python = "",
    installer: Installer = "",
    lock: Lock = "",
    as_json: AsJson = False,
) -> None:
    """Make an environment anew, beside the old one until it is whole; options left out are as they were.

    One that was adopted is looked at again and recorded anew.
    """
    from aligntune_core.cli.screens.environments import update as make

    changes = {"extras": tuple(with_ or ()), "torch": torch, "source": source, "python": python}
    make(name, {**changes, "installer": installer, "lock": lock}, json=as_json)


@env.command()
def remove(name: Name, as_json: AsJson = False) -> None:
    """Remove an environment; of one that was adopted, only what was recorded of it."""
    from aligntune_core.cli.screens.environments import remove as take_away

    take_away(name, json=as_json)
