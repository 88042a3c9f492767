"""``aligntune capabilities``: which backend trains which algorithm."""

from __future__ import annotations

from typing import Annotated

import typer

from aligntune_core.cli.options import AsJson  # noqa: TC001 typer reads it

BackendName = Annotated[str | None, typer.Option("--backend", metavar="NAME", help="Only this backend.")]
AlgorithmName = Annotated[str | None, typer.Option("--algorithm", metavar="NAME", help="Only this algorithm.")]
TaskName = Annotated[
    str | None,
    typer.Option(
        "--task",
        metavar="NAME",
        help="Only this task's algorithms: sft, preference, reward, online_rl, or a task that a plugin brings.",
    ),
]
DeviceName = Annotated[
    str | None, typer.Option("--device", metavar="NAME", help="Only what is declared on this device: cpu or cuda.")
]
FeatureNames = Annotated[
    list[str] | None,
    typer.Option(
        "--feature",
        metavar="NAME",
        help="Only what is declared with this feature. Several: once for each, or with commas between them.",
    ),
]
Usable = Annotated[bool, typer.Option("--usable", help="Only what can be used here, on the device that is here.")]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Write a Markdown table of what is declared.")]


def capabilities(
    *,
    backend: BackendName = None,
    algorithm: AlgorithmName = None,
    task: TaskName = None,
    device: DeviceName = None,
    feature: FeatureNames = None,
    usable: Usable = False,
    as_json: AsJson = False,
    markdown: AsMarkdown = False,
) -> None:
    """Show which backend trains which algorithm.

    Below it stands how each backend is here, and where only a part is asked for the features of each.
    """
    from aligntune_core.cli.screens.matrix import show

    show(
        backend=backend,
        algorithm=algorithm,
        task=task,
        device=device,
        feature=",".join(feature) if feature else None,
        usable=usable,
        json=as_json,
        markdown=markdown,
    )
