"""``aligntune capabilities``: which backend trains which algorithm."""

from __future__ import annotations

from typing import Annotated

import typer

from aligntune_core.cli.arguments import AsJson  # noqa: TC001 typer reads it

BackendName = Annotated[str | None, typer.Option("--backend", metavar="NAME", help="Only this backend.")]
AlgorithmName = Annotated[str | None, typer.Option("--algorithm", metavar="NAME", help="Only this algorithm.")]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Write a Markdown table of what is declared.")]


def capabilities(
    backend: BackendName = None, algorithm: AlgorithmName = None, as_json: AsJson = False, markdown: AsMarkdown = False
) -> None:
    """Show which backend trains which algorithm.

    Below it stands how each backend is here, and with --backend or --algorithm the features of each.
    """
    from aligntune_core.cli.matrix import show

    show(backend=backend, algorithm=algorithm, json=as_json, markdown=markdown)
