"""The JSON Schema of a job file."""

from __future__ import annotations

from typing import Any

from aligntune_core.job import Job


def job_schema() -> dict[str, Any]:
    """The JSON Schema of a job file: every key with its type, its bounds and what it means."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Job.model_json_schema(),
        "title": "AlignTune job",
        "description": "A request to train one model with one algorithm on one dataset.",
        "additionalProperties": False,
    }
