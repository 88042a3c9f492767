"""``aligntune schema``: the JSON Schema of a job file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel


def schema() -> None:
    """Write the JSON Schema of a job file.

    What backends say of their settings is in it: of backend_args, for each backend and algorithm, and of the keys
    that a backend brings.
    """
    from aligntune_core.backends.hooks import HookError, contained
    from aligntune_core.backends.job_keys import job_keys_of
    from aligntune_core.backends.registry import registry
    from aligntune_core.backends.settings import all_settings
    from aligntune_core.console.json_text import write_json
    from aligntune_core.jobs.schema import job_schema

    known = registry()
    settings: dict[str, dict[str, type[BaseModel]]] = {}
    keys: dict[str, type[BaseModel]] = {}
    for name in known.names():
        backend = known.light(name)
        try:
            found, brought = {name: all_settings(backend, known)}, job_keys_of(backend, known)
            more = {name: brought} if brought else {}
            with contained(backend, "described its settings", through=()):
                job_schema(found, more)
            settings |= found
            keys |= more
        except HookError as error:
            sys.stderr.write(f"{error.message}\n")
    write_json(job_schema(settings, keys))
