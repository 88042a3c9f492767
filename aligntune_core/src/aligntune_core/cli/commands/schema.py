"""``aligntune schema``: the JSON Schema of a job file."""

from __future__ import annotations

import sys
from typing import Any


def schema() -> None:
    """Write the JSON Schema of a job file.

    What backends say of their settings is in it: those of backend_args, for each backend and algorithm.
    """
    from aligntune_core.backends.hooks import HookError
    from aligntune_core.backends.registry import registry
    from aligntune_core.backends.settings import all_schemas
    from aligntune_core.console.json_text import write_json
    from aligntune_core.jobs.schema import job_schema

    known = registry()
    settings: dict[str, dict[str, dict[str, Any]]] = {}
    for name in known.names():
        try:
            settings[name] = all_schemas(known.declared(name), known)
        except HookError as error:
            sys.stderr.write(f"{error.message}\n")
    write_json(job_schema(settings))
