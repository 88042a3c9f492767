"""``aligntune schema``: the JSON Schema of a job file."""

from __future__ import annotations


def schema() -> None:
    """Write the JSON Schema of a job file."""
    from aligntune_core.console.json_text import write_json
    from aligntune_core.jobs.schema import job_schema

    write_json(job_schema())
