"""Options and arguments that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

JobWords = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="JOB.yaml key=value",
        help="A job file, and keys that are laid over it, e.g. learning_rate=5e-5 backend_args.max_length=64.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON to standard output, for programs.")]
